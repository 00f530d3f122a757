"""Guards that end a run before its last epoch."""

from __future__ import annotations

import math
from collections.abc import Callable

from mindspore.train import Callback

from src.callbacks.order import Stage
from src.callbacks.progress import Progress
from src.config import UserError


class StopOnNonFiniteLoss(Callback):
    """Ends the run when the loss is infinite or no number.

    Args:
        patience: readings in a row that are allowed; more than one only with a loss scale, which skips such steps.
        last_good: names the checkpoint to go back to.
    """

    stage = Stage.CHECK

    def __init__(self, progress: Progress, patience: int, causes: str, last_good: Callable[[], str]):
        super().__init__()
        self._progress, self._patience = progress, patience
        self._causes, self._last_good = causes, last_good
        self._in_a_row = 0

    def on_train_step_end(self, run_context) -> None:
        progress = self._progress
        if not progress.loss_is_fresh:
            return
        self._in_a_row = 0 if math.isfinite(progress.loss) else self._in_a_row + 1
        if self._in_a_row >= self._patience:
            raise UserError(
                f"loss is {progress.loss} at step {progress.step} of {progress.num_steps}: likely {self._causes}; "
                f"last good checkpoint: {self._last_good()}"
            )


class StopOnRequest(Callback):
    """Ends the run between two steps when `requested()` names a reason."""

    stage = Stage.STOP

    def __init__(self, progress: Progress, requested: Callable[[], str], save: Callable[[], None]):
        super().__init__()
        self._progress, self._requested, self._save = progress, requested, save

    def on_train_step_end(self, run_context) -> None:
        progress = self._progress
        # At an epoch's end the checkpoint comes with the epoch's own hooks.
        if self._requested() and not progress.at_epoch_end:
            progress.stop_reason = self._requested()
            self._save()
            run_context.request_stop()

    def on_train_epoch_end(self, run_context) -> None:
        progress = self._progress
        if self._requested() and not progress.stop_reason and progress.epoch < progress.num_epochs:
            progress.stop_reason = self._requested()
            run_context.request_stop()
