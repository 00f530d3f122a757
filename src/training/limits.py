"""Limits that end a run: a signal, max_steps, early_stop_patience."""

from __future__ import annotations

from src.callbacks.progress import Progress
from src.config.schema import ScheduleConfig
from src.runtime.signals import StopRequest


class Limits:
    """A signal, `max_steps` and `early_stop_patience`."""

    def __init__(self, schedule: ScheduleConfig, progress: Progress, stop: StopRequest):
        self._schedule, self._progress, self._stop = schedule, progress, stop

    def reached(self) -> str:
        """Why the run has to end now, "" while it may go on."""
        return self._stop.requested or self._planned()

    def nothing_left(self) -> str:
        """Why a run that has not begun has nothing to train, "" when it has."""
        progress = self._progress
        if progress.epoch >= progress.num_epochs:
            return f"all {progress.num_epochs} epochs are done: give --max_epoch for more"
        planned = self._planned()
        return f"{planned} is reached already: to go on give a higher one, or 0" if planned else ""

    def _planned(self) -> str:
        schedule, progress = self._schedule, self._progress
        if 0 < schedule.max_steps <= progress.step:
            return f"max_steps {schedule.max_steps}"
        if 0 < schedule.early_stop_patience <= progress.without_improvement:
            return f"early_stop_patience {schedule.early_stop_patience}"
        return ""
