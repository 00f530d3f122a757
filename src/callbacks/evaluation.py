"""Evaluation between epochs, with the record of the best score."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mindspore.train import Callback

from src.callbacks.order import Stage
from src.callbacks.progress import Progress


def evaluation_due(epoch: int, num_epochs: int, interval: int, offset: int) -> bool:
    """Whether epoch number `epoch` (from 1) is evaluated: by the seeds' interval and offset; the last one always is."""
    if interval == 0:
        return False
    return epoch == num_epochs or (epoch - 1 - offset) % interval == 0


class EvaluateEpochs(Callback):
    """Evaluates after the epochs that are due and updates the best score in `progress`.

    A run that is asked to stop skips the evaluation and saves its checkpoint at once.

    Args:
        evaluate: returns the record of an evaluation, {"top1": ..., "eval_seconds": ...}.
        interval, offset: see `evaluation_due`.
        stop_requested: the reason to stop, "" to continue.
    """

    stage = Stage.EVALUATE

    def __init__(
        self,
        progress: Progress,
        evaluate: Callable[[], dict[str, Any]],
        interval: int,
        offset: int,
        stop_requested: Callable[[], str],
    ):
        super().__init__()
        self._progress, self._evaluate = progress, evaluate
        self._interval, self._offset, self._stop_requested = interval, offset, stop_requested

    def on_train_epoch_end(self, run_context) -> None:
        progress = self._progress
        progress.improved = False
        due = evaluation_due(progress.epoch, progress.num_epochs, self._interval, self._offset)
        # The framework calls this hook as well when a run stops inside an epoch.
        if not progress.at_epoch_end or not due:
            return
        if progress.epoch == progress.num_epochs or not self._stop_requested():
            progress.evaluation = self._evaluate()
            self._compare(progress.score)

    def _compare(self, score: float | None) -> None:
        progress = self._progress
        if score is None:  # images without ground truth
            return
        progress.improved = progress.best is None or score > progress.best
        if progress.improved:
            progress.best, progress.without_improvement = score, 0
        else:
            progress.without_improvement += 1
