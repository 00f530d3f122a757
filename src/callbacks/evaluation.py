"""Evaluation between epochs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mindspore.train import Callback

from src.callbacks.progress import Progress


def evaluation_due(epoch: int, num_epochs: int, interval: int, offset: int) -> bool:
    """Whether epoch number `epoch` (from 1) is evaluated: by the seeds' interval and offset, and always the last."""
    if interval == 0:
        return False
    return epoch == num_epochs or (epoch - 1 - offset) % interval == 0


class EvaluateEpochs(Callback):
    """Runs `evaluate` after the epochs that are due and keeps its record, {"accuracy": ..., "eval_seconds": ...}.

    A run that is asked to stop early wants a checkpoint, not an evaluation.
    """

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
        due = evaluation_due(progress.epoch, progress.num_epochs, self._interval, self._offset)
        stops_early = self._stop_requested() and progress.epoch < progress.num_epochs
        # A run that is broken off in mid-epoch comes through this hook too.
        if progress.at_epoch_end and due and not stops_early:
            progress.evaluation = self._evaluate()
