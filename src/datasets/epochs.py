"""Training set as `mindspore.train.Model` iterates over it: one freshly seeded pipeline per epoch.

A separate seed per epoch makes epochs independent of each other: a resumed run rebuilds the epoch in which it stopped,
skips the batches it has already seen, and receives the same samples as an uninterrupted run.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Collection, Iterator

import mindspore as ms
import mindspore.dataset as ds
import numpy as np

from src.datasets.pipeline import read_batches
from src.datasets.reading import Source


def pipeline_seed(*key: int) -> int:
    """A seed for the framework's random operators from a key such as (seed, epoch, rank)."""
    return zlib.crc32(repr(key).encode()) & 0x7FFFFFFF


class EpochDataset:
    """A dataset object for `Model.train(dataset_sink_mode=False)`.

    Args:
        build: epoch (from 0) -> the pipeline of that epoch.
        source: what the pipelines read.
        steps_per_epoch: batches per epoch.
        seed_key: (seed, rank); the epoch is added.
        first_epoch: epoch to begin with.
        first_batch: number of batches of that epoch to skip.
        timeout: longest time to wait for a batch, seconds; 0: no limit.
    """

    def __init__(
        self,
        build: Callable[[int], ds.Dataset],
        source: Source,
        steps_per_epoch: int,
        seed_key: tuple[int, int],
        first_epoch: int = 0,
        first_batch: int = 0,
        timeout: float = 0.0,
    ):
        self._build, self._source = build, source
        self._steps_per_epoch = steps_per_epoch
        self._seed_key = seed_key
        self._epoch, self._skip = first_epoch, first_batch
        self._timeout = timeout
        self._batches: Iterator | None = None

    def get_dataset_size(self) -> int:
        """Batches per epoch."""
        return self._steps_per_epoch

    def create_tuple_iterator(self, num_epochs: int = -1, do_copy: bool = False) -> EpochDataset:
        """This object: its iteration stops at the end of each epoch and then continues with the next one."""
        return self

    def reset(self) -> None:
        """Does nothing: the end of an epoch has already advanced to the next one."""

    def __iter__(self) -> EpochDataset:
        return self

    def __next__(self) -> tuple[ms.Tensor, ...]:
        if self._batches is None:
            self._batches = self._start_epoch()
        batch = next(self._batches, None)
        if batch is None:
            self._epoch, self._batches = self._epoch + 1, None
            raise StopIteration
        return batch

    def _start_epoch(self) -> Iterator:
        first_batch, self._skip = self._skip, 0
        return read_batches(self._start_pipeline, self._source, timeout=self._timeout, first_batch=first_batch)

    def _start_pipeline(self) -> Iterator:
        pipeline = self._build(self._epoch)
        # The framework reads the seed when the iterator is created.
        ds.config.set_seed(pipeline_seed(*self._seed_key, self._epoch))
        return pipeline.create_tuple_iterator(num_epochs=1, do_copy=False)


class EpochOrder:
    """Sample positions of one epoch per iteration, for a pipeline that runs over many epochs (sink mode).

    Args:
        positions: epoch -> sample positions, the same number for each epoch.
        first_epoch: epoch to begin with.
    """

    def __init__(self, positions: Callable[[int], np.ndarray], first_epoch: int):
        self._positions, self._epoch = positions, first_epoch

    def __len__(self) -> int:
        return len(self._positions(self._epoch))

    def __iter__(self) -> Iterator[int]:
        positions = self._positions(self._epoch)
        self._epoch += 1
        return iter(positions.tolist())


def training_epochs(
    build: Callable[[Collection[int], int], ds.Dataset],
    order: Callable[[int], np.ndarray],
    source: Source,
    steps_per_epoch: int,
    seed_key: tuple[int, int],
    first_epoch: int,
    first_batch: int,
    *,
    sink: bool,
    timeout: float,
) -> EpochDataset | ds.Dataset:
    """The epochs from (first_epoch, first_batch) onwards, for `Model.train`.

    Args:
        build: (positions, first epoch) -> the pipeline.
        order: epoch -> sample positions.
        source, steps_per_epoch, seed_key, timeout: see EpochDataset.
        sink: build one framework pipeline over all epochs, to feed a device from; it starts at an epoch boundary.
    """
    if sink:
        source.raises = True
        ds.config.set_seed(pipeline_seed(*seed_key, first_epoch))
        return build(EpochOrder(order, first_epoch), first_epoch)
    return EpochDataset(
        lambda epoch: build(order(epoch).tolist(), epoch),
        *(source, steps_per_epoch, seed_key, first_epoch, first_batch, timeout),
    )
