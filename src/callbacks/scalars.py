"""Figures of the run as it goes, for a viewer such as TensorBoard."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from mindspore.train import Callback

from src.callbacks.order import Stage
from src.callbacks.progress import Progress

COST = "eval_seconds"  # what an evaluation took is no figure of the network


class WriteScalars(Callback):
    """Hands on loss, learning rate and norms whenever the loss is read, evaluation and speed after an epoch.

    Args:
        write: takes the step and {tag: value}.
        learning_rate: the rate of the last step done.
        norms: {name: norm}, empty when they are not kept.
    """

    stage = Stage.LOG

    def __init__(
        self,
        progress: Progress,
        write: Callable[[int, Mapping[str, float]], None],
        learning_rate: Callable[[], float],
        norms: Callable[[], dict[str, float]],
    ):
        super().__init__()
        self._progress, self._write = progress, write
        self._learning_rate, self._norms = learning_rate, norms

    def on_train_step_end(self, run_context) -> None:
        progress = self._progress
        if progress.loss_is_fresh:
            self._write(progress.step, {"loss": progress.loss, "lr": self._learning_rate(), **self._norms()})

    def on_train_epoch_end(self, run_context) -> None:
        progress = self._progress
        if progress.at_epoch_end:
            evaluated = {name: value for name, value in progress.evaluation.items() if name != COST}
            self._write(progress.step, {"images_per_second": progress.images_per_second, **evaluated})
