"""Limits that end a run before its last epoch."""

from src.callbacks.guards import Limits
from src.callbacks.progress import Progress
from src.config import read_config
from tests.support.commands import TINY


def limits(progress, *words, signal="", any_rank=None):
    schedule = read_config(["--config_path", str(TINY), *map(str, words)]).config.schedule
    return Limits(schedule, progress, lambda: signal, any_rank)


def test_without_limits_a_run_goes_to_its_last_epoch():
    progress = Progress(4, 10, 1, epoch=3, batch=9, without_improvement=99)
    plain = limits(progress)
    assert (plain.reached(), plain.nothing_left()) == ("", "")
    progress.epoch, progress.batch = 4, 0
    assert plain.nothing_left() == "all 4 epochs are complete: give a higher --max_epoch to continue"


def test_max_steps_counts_the_runs_steps():
    progress = Progress(4, 10, 1, epoch=1, batch=4)
    limited = limits(progress, "--max_steps", 15)
    assert (limited.reached(), limited.nothing_left()) == ("", "")
    progress.batch = 5
    assert limited.reached() == "max_steps 15"
    assert limited.nothing_left() == "max_steps 15 has been reached: give a higher value to continue, or 0 for no limit"


def test_early_stopping_counts_evaluations_without_a_new_best():
    progress = Progress(4, 10, 1, without_improvement=2)
    limited = limits(progress, "--early_stop_patience", 3)
    assert limited.reached() == ""
    progress.without_improvement = 3
    assert limited.reached() == "early_stop_patience 3"


def test_a_signal_comes_first():
    limited = limits(Progress(4, 10, 1, epoch=2), "--max_steps", 5, signal="SIGTERM")
    assert limited.reached() == "SIGTERM"


def test_ranks_agree_on_a_signal_where_the_loss_is_read():
    progress, asked = Progress(4, 10, 1, epoch=1, batch=3), []

    def another_rank_was_signalled(own):
        asked.append(own)
        return True

    signalled = limits(progress, signal="SIGINT", any_rank=another_rank_was_signalled)
    other = limits(progress, any_rank=another_rank_was_signalled)
    assert (signalled.reached(), other.reached(), asked) == ("", "", [])
    progress.loss_is_fresh = True
    assert (signalled.reached(), other.reached(), asked) == ("SIGINT", "SIGTERM", [True, False])
    assert limits(progress, any_rank=lambda own: own).reached() == ""
