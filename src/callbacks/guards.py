"""Guards that end a run before its last epoch: a ruined loss, a signal, max_steps, early_stop_patience."""

from __future__ import annotations

import math
from collections.abc import Callable

from mindspore.train import Callback

from src.callbacks.order import Stage
from src.callbacks.progress import Progress
from src.config import Config, UserError
from src.config.schema import ScheduleConfig


class StopOnNonFiniteLoss(Callback):
    """Ends the run with a UserError when the loss is infinite or NaN.

    Args:
        patience: consecutive non-finite readings that end the run; more than one with a loss scale, which skips such
            steps.
        causes: likely causes, for the message.
        last_good: names the checkpoint to return to.
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
    """Ends the run between two steps once `requested()` names a reason.

    Args:
        requested: the reason to stop, "" to continue.
        save: writes last.ckpt; called when the run stops inside an epoch.
    """

    stage = Stage.STOP

    def __init__(self, progress: Progress, requested: Callable[[], str], save: Callable[[], None]):
        super().__init__()
        self._progress, self._requested, self._save = progress, requested, save

    def on_train_step_end(self, run_context) -> None:
        progress = self._progress
        # At the end of an epoch, SaveCheckpoints has written the checkpoint.
        if not progress.at_epoch_end and (reason := self._requested()):
            progress.stop_reason = reason
            self._save()
            run_context.request_stop()

    def on_train_epoch_end(self, run_context) -> None:
        progress = self._progress
        if not progress.stop_reason and progress.epoch < progress.num_epochs and (reason := self._requested()):
            progress.stop_reason = reason
            run_context.request_stop()


class Limits:
    """Reasons to end a run early: a signal, `max_steps` and `early_stop_patience`.

    All ranks of a job end after the same step: one that leaves alone would leave the others waiting in their next
    exchange. They agree after the steps whose loss is read, where the host waits for the device anyway.

    Args:
        signal: name of the signal that this process has received, "" if none.
        any_rank: whether any rank's flag is set; None in a process on its own.
    """

    def __init__(
        self,
        schedule: ScheduleConfig,
        progress: Progress,
        signal: Callable[[], str],
        any_rank: Callable[[bool], bool] | None = None,
    ):
        self._schedule, self._progress = schedule, progress
        self._own_signal, self._any_rank = signal, any_rank

    def reached(self) -> str:
        """The limit that the run has reached, "" if none; to be asked by all ranks at the same points."""
        return self.signal() or self._planned()

    def signal(self) -> str:
        """The signal that ends the run, "" if none; to be asked by all ranks at the same points."""
        own = self._own_signal()
        if self._any_rank is None:
            return own
        agreed = self._progress.loss_is_fresh and self._any_rank(own != "")
        return (own or "SIGTERM") if agreed else ""

    def nothing_left(self) -> str:
        """Message for a run that has nothing left to train before its first step, "" otherwise."""
        progress = self._progress
        if progress.epoch >= progress.num_epochs:
            return f"all {progress.num_epochs} epochs are complete: give a higher --max_epoch to continue"
        planned = self._planned()
        return f"{planned} has been reached: give a higher value to continue, or 0 for no limit" if planned else ""

    def _planned(self) -> str:
        schedule, progress = self._schedule, self._progress
        if 0 < schedule.max_steps <= progress.step:
            return f"max_steps {schedule.max_steps}"
        if 0 < schedule.early_stop_patience <= progress.without_improvement:
            return f"early_stop_patience {schedule.early_stop_patience}"
        return ""


def likely_causes(config: Config) -> str:
    """Likely causes of a non-finite loss, judged by the configuration."""
    causes = [f"lr_max {config.schedule.lr_max:g} too high"]
    if config.run.amp_level != "O0" and config.loss.loss_scale == 1.0 and not config.loss.is_dynamic_loss_scale:
        causes.append(f"amp_level {config.run.amp_level} without a loss scale (--is_dynamic_loss_scale 1)")
    if config.optimizer.clip_global_norm == 0:
        causes.append("no gradient clipping (--clip_global_norm 5)")
    return ", ".join(causes)
