"""Progress bar with the remaining time, for terminals."""

from __future__ import annotations

import logging
import time

from mindspore.train import Callback
from tqdm import tqdm

from src.callbacks.order import Stage
from src.callbacks.progress import Progress
from src.runtime.terminal import ElapsedTime


class ShowProgress(Callback):
    """One bar for the whole run. The compilation of the graph in the first step is logged with its duration.

    Args:
        shown: draw the bar; False without a terminal.
    """

    stage = Stage.SHOW

    def __init__(self, progress: Progress, logger: logging.Logger, shown: bool):
        super().__init__()
        self._progress, self._logger, self._shown = progress, logger, shown
        self._bar: tqdm | None = None
        self._compiling = ElapsedTime("compiling", shown)
        self._began = 0.0

    def on_train_begin(self, run_context) -> None:
        self._logger.info("compiling the training graph (with the first step) ...")
        self._began = time.perf_counter()
        self._compiling.start()

    def on_train_step_end(self, run_context) -> None:
        progress = self._progress
        if self._bar is None:
            self._compiling.stop()
            loaded = getattr(run_context.original_args().train_network, "loaded", False)
            how = "compiled by an earlier run" if loaded else "compiled"
            self._logger.info("%s; first step done after %.1fs", how, time.perf_counter() - self._began)
            # Created after the first step, so that compiling does not distort the estimate of the remaining time.
            self._bar = tqdm(
                total=progress.num_steps, initial=progress.step, unit="step", disable=not self._shown, leave=False
            )
            return
        self._bar.update()
        if progress.loss_is_fresh:
            epoch = progress.epoch + (0 if progress.at_epoch_end else 1)
            self._bar.set_description(f"epoch {epoch}/{progress.num_epochs}", refresh=False)
            self._bar.set_postfix_str(f"loss={progress.loss:.4f}", refresh=False)

    def on_train_end(self, run_context) -> None:
        self._compiling.stop()
        if self._bar is not None:
            self._bar.close()
