"""Checkpoint files of a run: last.ckpt, best.ckpt and numbered ones."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

from mindspore.train import Callback

from src.callbacks.order import Stage
from src.callbacks.progress import Progress
from src.runtime.files import complete_file


class SaveCheckpoints(Callback):
    """Writes last.ckpt after each epoch (and every `every_steps`), best.ckpt and <prefix>-<epoch>_<steps>.ckpt.

    Args:
        save: writes a complete checkpoint at a path.
        folder: existing folder for the files.
        prefix: first part of the numbered names.
        every_epochs: epochs between two numbered checkpoints; 0: neither numbered ones nor best.ckpt.
        every_steps: steps between two updates of last.ckpt; 0: only at the end of each epoch.
        keep: number of numbered checkpoints to keep.
    """

    stage = Stage.SAVE

    def __init__(
        self,
        progress: Progress,
        save: Callable[[Path], None],
        folder: Path,
        prefix: str,
        *,
        every_epochs: int,
        every_steps: int,
        keep: int,
    ):
        super().__init__()
        self._progress, self._save, self._folder, self._prefix = progress, save, folder, prefix
        self._every_epochs, self._every_steps, self._keep = every_epochs, every_steps, keep

    def save_last(self) -> None:
        """Update last.ckpt."""
        self._save(self._folder / "last.ckpt")

    def on_train_step_end(self, run_context) -> None:
        progress = self._progress
        if self._every_steps and progress.step % self._every_steps == 0 and not progress.at_epoch_end:
            self.save_last()

    def on_train_epoch_end(self, run_context) -> None:
        progress = self._progress
        if not progress.at_epoch_end:
            return
        self.save_last()
        if not self._every_epochs:
            return
        if progress.improved:
            self._put("best.ckpt")
        if progress.epoch % self._every_epochs == 0 or progress.epoch == progress.num_epochs:
            self._put(f"{self._prefix}-{progress.epoch}_{progress.steps_per_epoch}.ckpt")
            self._remove_old()

    def _put(self, name: str) -> None:
        """Add a second name for last.ckpt: a hard link, safe because checkpoints are never changed in place."""
        with complete_file(self._folder / name) as partial:
            try:
                os.link(self._folder / "last.ckpt", partial)
            except OSError:  # a file system without links
                shutil.copyfile(self._folder / "last.ckpt", partial)

    def _remove_old(self) -> None:
        pattern = re.compile(rf"{re.escape(self._prefix)}-(\d+)_\d+\.ckpt")
        numbered = {int(match[1]): path for path in self._folder.iterdir() if (match := pattern.fullmatch(path.name))}
        for epoch in sorted(numbered)[: -self._keep]:
            numbered[epoch].unlink()
