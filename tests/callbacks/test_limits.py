"""Limits that end a run before its last epoch."""

from src.callbacks.guards import Limits
from src.callbacks.progress import Progress
from src.config import read_config
from src.runtime.signals import StopRequest
from tests.support.commands import TINY


def limits(progress, *words):
    schedule = read_config(["--config_path", str(TINY), *map(str, words)]).config.schedule
    stop = StopRequest()
    return Limits(schedule, progress, stop), stop


def test_without_limits_a_run_goes_to_its_last_epoch():
    progress = Progress(4, 10, 1, epoch=3, batch=9, without_improvement=99)
    plain, _ = limits(progress)
    assert (plain.reached(), plain.nothing_left()) == ("", "")
    progress.epoch, progress.batch = 4, 0
    assert plain.nothing_left() == "all 4 epochs are complete: give a higher --max_epoch to continue"


def test_max_steps_counts_the_runs_steps():
    progress = Progress(4, 10, 1, epoch=1, batch=4)
    limited, _ = limits(progress, "--max_steps", 15)
    assert (limited.reached(), limited.nothing_left()) == ("", "")
    progress.batch = 5
    assert limited.reached() == "max_steps 15"
    assert limited.nothing_left() == "max_steps 15 has been reached: give a higher value to continue, or 0 for no limit"


def test_early_stopping_counts_evaluations_without_a_new_best():
    progress = Progress(4, 10, 1, without_improvement=2)
    limited, _ = limits(progress, "--early_stop_patience", 3)
    assert limited.reached() == ""
    progress.without_improvement = 3
    assert limited.reached() == "early_stop_patience 3"


def test_a_signal_comes_first():
    limited, stop = limits(Progress(4, 10, 1, epoch=2), "--max_steps", 5)
    stop.requested = "SIGTERM"
    assert limited.reached() == "SIGTERM"
