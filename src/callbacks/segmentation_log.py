"""Log lines of the segmentation seed."""

from __future__ import annotations

import logging
from collections.abc import Callable

from mindspore.train import Callback

from src.callbacks.order import Stage
from src.callbacks.progress import Progress


class LogSegmentation(Callback):
    """`iter = 0 of 62475 completed,loss = 4.116372, lr=0.01` for each reading of the loss; `loss is ...`, `mIOU: ...`.

    The seed searches its logs for the last two without ever writing them; they are written once per epoch here.

    Args:
        learning_rate: the learning rate of the last completed step.
    """

    stage = Stage.LOG

    def __init__(self, progress: Progress, logger: logging.Logger, learning_rate: Callable[[], float]):
        super().__init__()
        self._progress, self._logger, self._learning_rate = progress, logger, learning_rate

    def on_train_step_end(self, run_context) -> None:
        progress = self._progress
        if progress.loss_is_fresh:
            position = f"iter = {progress.step - 1} of {progress.num_steps} completed"
            self._logger.info("%s,loss = %.6f, lr=%.7g", position, progress.loss, self._learning_rate())

    def on_train_epoch_end(self, run_context) -> None:
        progress = self._progress
        if not progress.at_epoch_end:
            return
        self._logger.info("epoch %d: loss is %.6f", progress.epoch, progress.mean_loss)
        if progress.score is not None:
            self._logger.info("epoch %d: mIOU: %.6f", progress.epoch, progress.score)
