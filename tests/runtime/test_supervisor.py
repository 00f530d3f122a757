"""The supervisor: every way that a rank can fail ends the whole job, with that rank's message and code."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from src.runtime import rank_process, supervisor
from src.runtime.cluster import Cluster, LocalRank
from tests.support.processes import PROJECT_ROOT

PROGRAM = PROJECT_ROOT / "tests" / "support" / "short_rank.py"
LAUNCH = [sys.executable, str(PROJECT_ROOT / "scripts" / "launch.py")]
# The ranks meet nowhere: the processes are started as by a rank table.
THREE = Cluster(3, tuple(LocalRank(rank, rank + 4) for rank in range(3)), by_table=True)


def run(tmp_path: Path, *words: object, **options) -> int:
    command = [sys.executable, str(PROGRAM), *map(str, words)]
    return supervisor.run_with_restarts(THREE, command, tmp_path / "logs", **options)


def children() -> list[psutil.Process]:
    return [child for child in psutil.Process().children(recursive=True) if PROGRAM.name in " ".join(child.cmdline())]


def test_each_rank_is_told_who_it_is_and_has_its_log(tmp_path, capfdbinary):
    assert run(tmp_path, "done", 0) == 0
    logs = [(tmp_path / "logs" / f"rank_{rank}.log").read_text() for rank in range(3)]
    assert logs == [f"rank {rank} of 3 on device {rank + 4}\n" for rank in range(3)]
    assert capfdbinary.readouterr().out == logs[0].encode()  # the first rank's is shown


@pytest.mark.parametrize(
    ("behaviour", "code", "said"),
    [
        ("mistake", 2, ["error: rank 1 ended with exit code 2", "error: dataset_path: no folder nowhere"]),
        ("raise", 1, ["error: rank 1 ended with exit code 1", "RuntimeError: this rank is broken"]),
        ("SIGKILL", 1, ["error: rank 1 was ended by SIGKILL"]),
        ("SIGSEGV", 1, ["error: rank 1 was ended by SIGSEGV"]),
        ("SIGSTOP", 1, ["error: rank 1 has been stopped (SIGSTOP) for 1 s"]),
    ],
)
def test_one_failure_ends_all_with_its_message(tmp_path, capfd, monkeypatch, behaviour, code, said):
    monkeypatch.setattr(rank_process, "STOPPED_LIMIT", 1.0)
    assert run(tmp_path, behaviour, 1) == code
    err = capfd.readouterr().err
    for text in said:
        assert text in err
    assert children() == []


def test_ranks_that_were_asked_to_stop_have_not_failed(tmp_path, capfd):
    assert run(tmp_path, "stop", 1, max_restarts=1) == 143
    assert (capfd.readouterr().err, children()) == ("", [])


def test_a_stop_before_the_ranks_can_save_is_no_failure_either(tmp_path):
    command = [*LAUNCH, "--num_devices", "1", str(PROGRAM), "wait", "9"]
    launcher = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path)
    launcher.stdout.readline()
    assert launcher.stdout.readline() == b"rank 0 of 1 on device 0\n"
    launcher.terminate()
    assert (launcher.communicate(timeout=60)[1], launcher.returncode, children()) == (b"", 143, [])


def test_a_fault_is_restarted_from_the_last_checkpoint(tmp_path, capfd, monkeypatch):
    monkeypatch.setattr(supervisor, "FIRST_PAUSE", 0.1)
    assert run(tmp_path, "fault", 1, max_restarts=2) == 0
    assert "restart 1 of 2 in 0.1 s, from the last checkpoint" in capfd.readouterr().err
    assert (tmp_path / "logs" / "restart_1" / "rank_1.log").exists()


@pytest.mark.parametrize(("behaviour", "code"), [("mistake", 2), ("raise", 1)])
def test_a_mistake_is_not_restarted_and_faults_not_for_ever(tmp_path, monkeypatch, behaviour, code):
    monkeypatch.setattr(supervisor, "FIRST_PAUSE", 0.1)
    assert run(tmp_path, behaviour, 1, max_restarts=1) == code
    assert (tmp_path / "logs" / "restart_1").exists() == (behaviour == "raise")


def test_a_restart_keeps_the_users_resume(tmp_path, monkeypatch):
    monkeypatch.setattr(supervisor, "FIRST_PAUSE", 0.1)
    assert run(tmp_path, "raise", 1, "--resume=mine", max_restarts=1) == 1
    logs = [tmp_path / "logs" / folder / "rank_0.log" for folder in (".", "restart_1")]
    assert [log.read_text().splitlines()[-1] for log in logs] == ["options --resume=mine"] * 2


def launch(tmp_path: Path, *words: str) -> subprocess.CompletedProcess:
    command = [*LAUNCH, "--num_devices", "1", *words]
    return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)


def test_a_second_job_keeps_the_logs_of_the_first(tmp_path):
    for _ in range(2):
        launch(tmp_path, str(PROGRAM), "mistake", "0")
    assert [(tmp_path / name / "rank_0.log").exists() for name in ("launch_logs", "launch_logs-2")] == [True, True]


def test_no_device_is_a_mistake(tmp_path):
    assert launch(tmp_path, "--num_devices", "0", str(PROGRAM), "done", "0").stderr == (
        "error: --num_devices 0: at least 1 is needed\n"
    )


def test_more_processes_than_visible_devices_are_a_mistake(tmp_path, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    words = ("--num_devices", "3", str(PROGRAM), "done", "0")
    assert launch(tmp_path, *words, "--device_target=GPU").stderr == (
        "error: --num_devices 3, but the environment shows 2 devices: give at most 2\n"
    )
    assert launch(tmp_path, *words, "--device_target", "CPU").returncode == 0


def test_in_the_background_mistakes_are_said_at_once_and_the_rest_is_logged(tmp_path):
    finished = launch(tmp_path, "--background", "no_such.py")
    assert (finished.returncode, finished.stderr.startswith("error: no_such.py: no such program")) == (2, True)
    assert list(tmp_path.iterdir()) == []
    finished = launch(tmp_path, "--background", str(PROGRAM), "mistake", "0")
    assert finished.returncode == 0
    log = tmp_path / "launch_logs" / "launch.log"
    assert f"see {log.relative_to(tmp_path)}, stop it by: kill " in finished.stdout
    end = time.monotonic() + 30
    while "the job is ended" not in log.read_text() and time.monotonic() < end:
        time.sleep(0.1)
    assert "error: dataset_path: no folder nowhere" in log.read_text()


def test_a_closed_terminal_does_not_end_the_job(tmp_path):
    command = [*LAUNCH, "--num_devices", "1", str(PROGRAM), "later", "0"]
    launcher = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=tmp_path)
    assert b"1 ranks" in launcher.stdout.readline()
    assert launcher.stdout.readline() == b"rank 0 of 1 on device 0\n"
    launcher.stdout.close()
    launcher.send_signal(signal.SIGHUP)
    assert launcher.wait(timeout=60) == 0
    assert (tmp_path / "launch_logs" / "rank_0.log").read_text().endswith("words\nthe end\n")


def test_no_process_outlives_a_killed_launcher(tmp_path):
    words = ["--rank_table", tmp_path / "table.json", "--log_folder", tmp_path / "logs", "--server_id", "here"]
    (tmp_path / "table.json").write_text(
        '{"server_list": [{"server_id": "here", "device": [{"device_id": "0", "rank_id": "0"}]}]}'
    )
    command = [sys.executable, PROJECT_ROOT / "scripts" / "launch.py", *words, PROGRAM, "wait", "9"]
    launcher = subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, text=True)
    assert "1 ranks, here 0 on device 0" in launcher.stdout.readline()
    assert launcher.stdout.readline() == "rank 0 of 1 on device 0\n"
    (child,) = psutil.Process(launcher.pid).children()
    launcher.send_signal(signal.SIGKILL)
    launcher.wait()
    end = time.monotonic() + 20
    while child.is_running() and child.status() != psutil.STATUS_ZOMBIE and time.monotonic() < end:
        time.sleep(0.05)
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE
