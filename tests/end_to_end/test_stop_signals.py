"""SIGTERM and Ctrl-C end a training after the step, with a checkpoint that goes on to the same bits."""

import re
import signal

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
