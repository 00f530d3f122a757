"""Progress of a run, shared by the callbacks, and the callback that updates it."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from typing import Any

from mindspore.train import Callback

from src.callbacks.order import Stage


@dataclass
class Progress:
    """Counters and latest values of a training run.

    Attributes:
        num_epochs, steps_per_epoch: the plan.
        global_batch: images per step over all ranks.
        epoch: completed epochs.
        batch: completed steps of the current epoch.
        loss: last loss read; None before the first reading of this process.
        loss_is_fresh: whether the loss was read after the last step.
        loss_sum, num_losses: sum and number of the losses read in the current epoch, also before an interruption.
        step_seconds: mean duration of the steps of the current epoch, without evaluation and without the first step of
            the process, which compiles (unless there is no other).
        epoch_seconds: duration of the steps that this process has done in the last completed epoch, at that mean.
        evaluation: record of the last evaluation; {} if the last completed epoch was not evaluated.
        score_name: key of the score in `evaluation`.
        best: best score so far.
        improved: whether the last completed epoch has the best score so far.
        without_improvement: number of evaluations since the best one.
        stop_reason: signal or setting that stops training before its last epoch, "" while it continues.
    """

    num_epochs: int
    steps_per_epoch: int
    global_batch: int
    epoch: int = 0
    batch: int = 0
    loss: float | None = None
    loss_is_fresh: bool = False
    loss_sum: float = 0.0
    num_losses: int = 0
    epoch_seconds: float = 0.0
    step_seconds: float = 0.0
    evaluation: dict[str, Any] = field(default_factory=dict)
    score_name: str = "score"
    best: float | None = None
    improved: bool = False
    without_improvement: int = 0
    stop_reason: str = ""

    @property
    def step(self) -> int:
        """Completed steps of the run."""
        return self.epoch * self.steps_per_epoch + self.batch

    @property
    def num_steps(self) -> int:
        """Steps of the whole run."""
        return self.num_epochs * self.steps_per_epoch

    @property
    def mean_loss(self) -> float:
        """Mean of the losses read in the current epoch; NaN before the first."""
        return self.loss_sum / self.num_losses if self.num_losses else math.nan

    @property
    def score(self) -> float | None:
        """Score of the last evaluation; None if the last completed epoch was not evaluated."""
        return self.evaluation.get(self.score_name)

    @property
    def at_epoch_end(self) -> bool:
        """Whether an epoch has just been completed, rather than interrupted."""
        return self.batch == 0 and self.epoch > 0

    @property
    def interrupted(self) -> bool:
        """Whether a signal ended the run."""
        return self.stop_reason.startswith("SIG")

    @property
    def ended(self) -> str:
        """Description of how the run ended, for the report."""
        return f"by {self.stop_reason} after step {self.step}" if self.stop_reason else f"complete, {self.step} steps"

    @property
    def images_per_second(self) -> float:
        """Images per second over all ranks in the current epoch."""
        return self.global_batch / self.step_seconds if self.step_seconds else 0.0


class TrackProgress(Callback):
    """Updates the counters and the loss of `progress`.

    Args:
        progress: shared with the other callbacks.
        read_interval: steps between two readings of the loss, each of which synchronises with the device.
    """

    stage = Stage.COUNT

    def __init__(self, progress: Progress, read_interval: int):
        super().__init__()
        self._progress, self._read_interval = progress, read_interval
        self._compiled = False
        self._began, self._steps_done, self._steps_timed = 0.0, 0, 0

    def on_train_epoch_begin(self, run_context) -> None:
        self._progress.evaluation = {}
        if not self._progress.batch:  # else the rest of an epoch that was interrupted
            self._progress.loss_sum, self._progress.num_losses = 0.0, 0
        self._began, self._steps_done, self._steps_timed = time.perf_counter(), 0, 0

    def on_train_step_end(self, run_context) -> None:
        progress, params = self._progress, run_context.original_args()
        # In sink mode the framework calls this hook once per epoch.
        steps = progress.steps_per_epoch if params.get("dataset_sink_mode") else 1
        progress.batch += steps
        self._time(steps)
        epoch_done = progress.batch == progress.steps_per_epoch
        progress.loss_is_fresh = epoch_done or progress.batch % self._read_interval == 0
        if progress.loss_is_fresh:
            progress.loss = float(params.net_outputs.asnumpy())
            progress.loss_sum, progress.num_losses = progress.loss_sum + progress.loss, progress.num_losses + 1
        if epoch_done:
            progress.epoch, progress.batch = progress.epoch + 1, 0
            progress.epoch_seconds = progress.step_seconds * self._steps_done

    def _time(self, steps: int) -> None:
        """Update the mean duration of a step; that of the compiling one counts only as long as it is the only one."""
        now = time.perf_counter()
        self._steps_done += steps
        self._steps_timed += steps
        self._progress.step_seconds = (now - self._began) / self._steps_timed
        if not self._compiled:
            self._compiled = True
            self._began, self._steps_timed = now, 0
