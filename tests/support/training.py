"""A training run whose losses are known: the data are the losses, and the step hands them on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import mindspore as ms
import mindspore.dataset as ds
import numpy as np
from mindspore import nn
from mindspore.train import Callback, RunContext

from src.callbacks.progress import Progress, TrackProgress
from src.datasets.epochs import EpochDataset
from src.datasets.reading import ImageFiles


class LossStep(nn.Cell):
    """(1,) -> scalar: the batch is its loss."""

    def construct(self, loss):
        return loss.sum()


class AfterStep(Callback):
    """Calls `action` when the run has done `step` steps."""

    def __init__(self, progress: Progress, step: int, action: Callable[[], None]):
        super().__init__()
        self._progress, self._step, self._action = progress, step, action

    def on_train_step_end(self, run_context) -> None:
        if self._progress.step == self._step:
            self._action()


class SavedPositions:
    """Saves a checkpoint as a text file `epoch.batch`, and remembers where it did."""

    def __init__(self, progress: Progress):
        self._progress = progress
        self.positions: list[str] = []

    def __call__(self, path: Path) -> None:
        self.positions.append(f"{self._progress.epoch}.{self._progress.batch}")
        path.unlink(missing_ok=True)  # a real checkpoint comes as a new file, too
        path.write_text(self.positions[-1])


class _Parameters(dict):
    """The framework's dictionary whose entries are read as attributes."""

    __getattr__ = dict.__getitem__


def run_context(loss: float = 0.0) -> RunContext:
    """What the framework hands to a callback after a step."""
    return RunContext(_Parameters(net_outputs=ms.Tensor(loss, ms.float32)))


def complete_epochs(progress: Progress, callbacks: Sequence[Callback], num_epochs: int) -> None:
    """Set `progress` to the end of each of the next epochs and let the callbacks act there."""
    for _ in range(num_epochs):
        progress.epoch, progress.batch = progress.epoch + 1, 0
        for callback in callbacks:
            callback.on_train_epoch_end(run_context())


def train(progress: Progress, losses: Sequence[Sequence[float]], callbacks: Sequence[Callback]) -> None:
    """`Model.train` from where `progress` stands, over losses[epoch][batch]; TrackProgress comes by itself."""

    def build(epoch: int) -> ds.Dataset:
        return ds.NumpySlicesDataset(np.array(losses[epoch], np.float32), ["loss"], shuffle=False).batch(1)

    dataset = EpochDataset(build, ImageFiles([], []), progress.steps_per_epoch, (1, 0), progress.epoch, progress.batch)
    ms.Model(LossStep()).train(
        progress.num_epochs,
        dataset,
        callbacks=[TrackProgress(progress, read_interval=1), *callbacks],
        dataset_sink_mode=False,
        initial_epoch=progress.epoch,
    )
