"""`--resume auto` after kill -9 gives the uninterrupted run's bits, whenever the kill comes."""

import random

import pytest

from tests.support.commands import PADDED_TRAINING, finish, start_command, wait_until
from tests.support.runs import TinyRun

SEED = 7  # of the numbers of saves after which a kill comes


@pytest.fixture(scope="module")
def killed_five_times(digits, tmp_path_factory):
    """(the finished run, where last.ckpt stood after each kill): five kills and six starts of one run."""
    run = TinyRun(digits, tmp_path_factory.mktemp("killed") / "outputs")
    numbers = random.Random(SEED)
    stood = []

    def kill_when(moment, script="train.py"):
        process = start_command(script, *run.options, "--resume", "auto")
        wait_until(lambda: moment(process), process)
        process.kill()
        process.communicate()
        assert process.returncode == -9
        stood.append(run.load().meta["step"] if run.last.exists() else None)

    kill_when(lambda process: "compiling the training graph" in run.log)
    kill_when(_saves(run, 1))
    kill_when(lambda process: run.partial_bytes() > 10_000_000, PADDED_TRAINING)
    stood.append(run.partial_bytes())
    kill_when(lambda process: 2 in run.epochs)
    kill_when(_saves(run, numbers.randint(1, 2)))
    finished = finish(start_command("train.py", *run.options, "--resume", "auto"))
    assert (finished.code, finished.err) == (0, "")
    return run, stood


def _saves(run, number):
    """Whether last.ckpt has been replaced `number` times since the process started."""
    seen = [run.identity()]

    def moment(process):
        if run.identity() != seen[-1]:
            seen.append(run.identity())
        return len(seen) > number

    return moment


def test_the_weights_are_those_of_the_uninterrupted_run(killed_five_times, reference):
    run, _ = killed_five_times
    assert run.weights() == reference.weights()


def test_the_kills_hit_different_moments(killed_five_times):
    _, (before_any, within_an_epoch, within_a_save, partial_bytes, after_an_epoch, later) = killed_five_times
    assert before_any is None
    assert 3 <= within_an_epoch <= 8
    assert within_an_epoch <= within_a_save <= 8  # the file before the one that was being written
    assert 10_000_000 < partial_bytes < 160_000_000
    assert within_a_save <= after_an_epoch <= later < 16


def test_each_epoch_is_recorded_once_and_as_it_was(killed_five_times, reference):
    run, _ = killed_five_times
    assert run.epochs == [1, 2, 3, 4]
    assert [record["loss"] for record in run.records] == [record["loss"] for record in reference.records]
    figures = [(record.get("top1"), record.get("eval_loss")) for record in run.records]
    assert figures == [(record.get("top1"), record.get("eval_loss")) for record in reference.records]


def test_nothing_half_written_stays(killed_five_times, reference):
    run, _ = killed_five_times
    names = sorted(path.name for path in run.checkpoints.iterdir())
    assert names == sorted(path.name for path in reference.checkpoints.iterdir())
    assert [path.name for path in run.parent.iterdir()] == ["tiny"]


def test_the_log_tells_where_each_start_went_on(killed_five_times):
    run, _ = killed_five_times
    assert run.log.count("INFO:run folder") == 6
    assert run.log.count(f"INFO:resumed from {run.last} at epoch ") == 4
    assert "may differ" not in run.log
