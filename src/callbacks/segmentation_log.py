"""Log lines that only the segmentation seed has."""

from __future__ import annotations

import logging
from collections.abc import Callable

from mindspore.train import Callback

from src.callbacks.order import Stage
from src.callbacks.progress import Progress


class LogSegmentation(Callback):
    """`iter = 0 of 62475 completed,loss = 4.116372, lr=0.01` for each reading of the loss; `loss is ...`, `mIOU: ...`.

    The seed greps its logs for the last two and has them in neither of its formats: here they come once an epoch.

    Args:
        learning_rate: the rate of the last step done.
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
        self._logger.info("epoch %d: loss is %.6f", progress.epoch, sum(progress.losses) / len(progress.losses))
        if progress.score is not None:
            self._logger.info("epoch %d: mIOU: %.6f", progress.epoch, progress.score)
