"""SIGTERM and Ctrl-C end a training after a step, on all ranks the same, with a checkpoint that goes on bit by bit."""

import random
import re
import signal
import time

import psutil
import pytest

from tests.support.commands import finish, run_process, start_command, wait_until
from tests.support.runs import TinyRun


@pytest.fixture(scope="module")
def stopped_twice(digits, tmp_path_factory):
    """(the finished run, how it was stopped): by SIGTERM, then by SIGINT, then left alone."""
    run = TinyRun(digits, tmp_path_factory.mktemp("stopped") / "outputs")
    stops = []
    for number, epochs_done in ((signal.SIGTERM, 1), (signal.SIGINT, 3)):
        process = start_command("train.py", *run.options, "--resume", "auto")
        wait_until(lambda epoch=epochs_done: epoch in run.epochs, process)
        process.send_signal(number)
        finished = finish(process)
        stops.append((finished, run.load().meta, run.records))
    assert run_process("train.py", *run.options, "--resume", "auto").code == 0
    return run, stops


def test_both_end_with_143_and_say_how_to_go_on(stopped_twice):
    _, stops = stopped_twice
    # The framework's data pipeline answers SIGINT first, and hands it on as SIGTERM.
    for (finished, meta, _), name in zip(stops, ("SIGTERM", "SIG(INT|TERM)"), strict=True):
        assert (finished.code, finished.err) == (143, "")
        last_line = finished.out.splitlines()[-1]
        text = f"stopped by {name} after step {meta['step']}; continue with --resume auto"
        assert re.fullmatch(rf".*INFO:{text}", last_line)


def test_the_epoch_that_was_broken_off_is_neither_evaluated_nor_recorded(stopped_twice):
    _, stops = stopped_twice
    for finished, meta, records in stops:
        assert len(records) == meta["epoch"]
        assert meta["metrics"] == {}
        assert "training time used" not in finished.out


def test_the_weights_are_those_of_the_uninterrupted_run(stopped_twice, reference):
    run, _ = stopped_twice
    assert run.weights() == reference.weights()
    assert run.epochs == [1, 2, 3, 4]


# Each rank alone, as by the scheduler of one of several servers, and all by their launcher.
STOPPED = ("rank 1", "rank 0", "launcher")


@pytest.mark.parametrize("number", [0, *(pytest.param(number, marks=pytest.mark.slow) for number in range(1, 24))])
def test_ranks_end_after_the_same_step_whichever_is_asked_to_stop(number, digits, tmp_path):
    run = TinyRun(digits, tmp_path / "outputs")
    words = ["--num_devices", 2, "--log_folder", tmp_path / "logs", "train.py", *run.options]
    launcher = start_command("scripts/launch.py", *words, "--max_epoch", 1000, "--eval_interval", 5)
    wait_until(lambda: run.epochs, launcher)
    time.sleep(random.uniform(0.0, 0.5))
    ranks = {_rank(child): child for child in psutil.Process(launcher.pid).children()}
    asked = {"launcher": launcher, "rank 0": ranks[0], "rank 1": ranks[1]}[STOPPED[number % 3]]
    asked.send_signal(signal.SIGTERM)
    finished = finish(launcher)
    assert (finished.code, finished.err) == (143, "")
    text = f"stopped by SIGTERM after step {run.load().meta['step']}; continue with --resume auto"
    assert finished.out.splitlines()[-1].endswith(text)


def _rank(process):
    """The rank of a launcher's process; None for the scheduler."""
    environment = process.environ()
    return int(environment["RANK_ID"]) if environment.get("MS_ROLE") == "MS_WORKER" else None
