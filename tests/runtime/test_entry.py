"""Exit codes and the questions that every command answers."""

import re

import pytest

from src.commands.list_models import silent_settings
from src.config import read_config
from src.runtime.entry import command_config
from src.runtime.session import Session, join
from tests.support.processes import run_python
from tests.support.recipes import write_recipe
from tests.support.user_errors import message_of

RUN = """
    import sys
    from src.config import UserError
    from src.runtime.entry import run_command

    def main(argv):
        if argv[0] == "mistake":
            raise UserError("lr_max must be greater than 0, not -1")
        if argv[0] == "fault":
            return 1 // 0
        if argv[0] == "memory":
            return bytearray(2**62)
        if argv[0] == "device memory":
            raise RuntimeError("Device(id:0) memory isn't enough and alloc failed\\n\\n- C++ Call Stack")
        return None if argv[0] == "done" else int(argv[0])

    sys.exit(run_command(main))
"""


def test_a_command_that_is_done_ends_with_0():
    finished = run_python(RUN, "done")
    assert (finished.returncode, finished.stdout, finished.stderr) == (0, "", "")


def test_a_command_chooses_its_own_code():
    assert run_python(RUN, "143").returncode == 143


def test_the_users_mistake_is_one_line_and_ends_with_2():
    finished = run_python(RUN, "mistake")
    assert (finished.returncode, finished.stdout) == (2, "")
    assert finished.stderr == "error: lr_max must be greater than 0, not -1\n"


def test_a_fault_logs_its_traceback_and_ends_with_1():
    finished = run_python(RUN, "fault")
    assert finished.returncode == 1
    lines = finished.stdout.splitlines()
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d:ERROR:the command failed", lines[0])
    assert lines[1] == "Traceback (most recent call last):"
    assert lines[-1].startswith("ZeroDivisionError: ")


@pytest.mark.parametrize(
    ("word", "reason"), [("memory", ""), ("device memory", " (Device(id:0) memory isn't enough and alloc failed)")]
)
def test_a_lack_of_memory_is_one_line_with_a_remedy(word, reason):
    finished = run_python(RUN, word)
    assert (finished.returncode, finished.stdout) == (2, "")
    assert finished.stderr == (
        f"error: out of memory{reason}: lower --batch_size or --eval_batch_size, or end other programs\n"
    )


def test_help_and_print_config_answer_and_leave_nothing_to_do(capsys):
    for word in ("--help", "-h"):
        assert command_config([word, "--seed"], "eval", "Evaluate.") is None
        assert capsys.readouterr().out.startswith("usage: python eval.py [--config_path RECIPE]")
    assert command_config(["--backbone", "vig_ti", "--print_config"], "train", "Train.") is None
    assert "\nbackbone: vig_ti\n" in capsys.readouterr().out


def test_print_config_shows_what_has_no_effect_beside_the_configuration(capsys):
    words = ["--backbone", "vig_ti", "--top_k", "3", "--ohem_thres", "0.5", "--print_config"]
    command_config(words, "train", "Train.", silent_settings)
    out, err = capsys.readouterr()
    lines = err.splitlines()
    assert lines[0].startswith("no --config_path given: configuration ")
    assert lines[1:] == ["top_k=3 has no effect in train.py", "ohem_thres=0.5 has no effect on classification"]
    assert "effect" not in out


def test_a_configuration_that_was_printed_can_be_run(tmp_path, capsys):
    command_config(["--backbone", "vig_ti", "--print_config"], "train", "Train.")
    recipe = write_recipe(tmp_path, capsys.readouterr().out)
    resolved = command_config(["--config_path", recipe], "train", "Train.")
    assert resolved.config == read_config(["--backbone", "vig_ti"]).config


def test_a_command_gets_its_configuration():
    resolved = command_config(["--data_dir", "d"], "eval", "Evaluate.")
    assert (resolved.config.eval.eval_path, resolved.config.data.dataset_path) == ("d", "")


def test_rank_0_writes():
    assert [Session("CPU", rank, 2, "AVX2").is_main for rank in (0, 1)] == [True, False]


def test_a_start_tells_what_it_runs_on():
    program = """
        import sys
        from src.config import read_config
        from src.runtime.session import start
        config = read_config(["--device_target", "CPU", "--run_distribute", sys.argv[1]]).config
        print(start(config, notes=("a note",)))
    """
    finished = run_python(program, 1, env={"ONEDNN_MAX_CPU_ISA": None, "MS_ROLE": None, "RANK_ID": None})
    assert finished.returncode == 0, finished.stderr
    lines = [re.sub(r"^[-\d]+ [:\d]+:", "", line) for line in finished.stdout.splitlines()]
    assert lines == [
        "INFO:a note",
        "WARNING:run_distribute is on, but no launcher started this process: using one device; use scripts/launch.py",
        "Session(device='CPU', rank=0, num_ranks=1, isa='AVX2')",
    ]


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"OMPI_COMM_WORLD_SIZE": "2"}, "OpenMPI (OMPI_COMM_WORLD_SIZE=2), which starts Ascend and GPU"),
        ({"RANK_TABLE_FILE": "t", "RANK_ID": "1"}, "rank table (RANK_TABLE_FILE=t, RANK_ID=1), which starts Ascend"),
    ],
)
def test_a_launcher_that_does_not_start_the_cpu_is_said(monkeypatch, variables, said):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    config = read_config(["--device_target", "CPU"]).config
    assert message_of(join, config) == f"device_target CPU is not started by {said}: use scripts/launch.py"
