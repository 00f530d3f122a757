"""From a list of encoded images to batches."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Protocol

import mindspore.dataset as ds
import numpy as np

from src.config import UserError
from src.datasets.encoded import decoding_fault, read_encoded
from src.datasets.read_ahead import ReadAhead, reads_slowly
from src.runtime.device import clamp_workers

# More than the framework reads ahead of the batch that it gives out.
NUM_REMEMBERED = 20_000


class Source(Protocol):
    """Samples that a pipeline can be built on and started again after a failure."""

    failure: UserError | None

    def __len__(self) -> int: ...

    def pipeline(self, order: np.ndarray | ds.Sampler, num_workers: int) -> ds.Dataset:
        """Rows (bytes of an image, label) in `order`."""

    def find_undecodable(self) -> bool:
        """Find out a file that took the pipeline down; whether there was one."""


class EncodedImages:
    """Random access to (bytes of the image file, label): the framework's C++ operators decode them.

    Several threads may read at once. A file that cannot be used ends the reading with a UserError; sub-classes know
    something better.

    Attributes:
        faults: the files found so far that cannot be used, with the reason.
        failure: what ended the reading; the framework itself passes on a text only.
    """

    def __init__(self, files: Sequence[Path], labels: Sequence[int]):
        self.files = files
        self.labels = np.asarray(labels, np.int32)
        self.faults: dict[Path, str] = {}
        self.failure: UserError | None = None
        self._recent: deque[Path] = deque(maxlen=NUM_REMEMBERED)

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        data = self.read(index)
        return (data, self.labels[index]) if data is not None else self.instead_of(index)

    @cached_property
    def reads_slowly(self) -> bool:
        """Whether several threads should read."""
        return reads_slowly(self)

    def read(self, index: int) -> np.ndarray | None:
        """The bytes of a file, None when it cannot be used."""
        path = self.files[index]
        if path in self.faults:
            return None
        data, fault = read_encoded(path)
        if fault:
            self.add_fault(path, fault)
            return None
        self._recent.append(path)
        return data

    def pipeline(self, order: np.ndarray | ds.Sampler, num_workers: int) -> ds.Dataset:
        """Rows (bytes, label) in `order`; `num_workers` threads read where files come slowly, else one."""
        columns = ["image", "label"]
        if isinstance(order, np.ndarray) and num_workers > 1 and self.reads_slowly:
            ahead = ReadAhead(self, order.tolist(), num_workers)
            return ds.GeneratorDataset(ahead, columns, num_parallel_workers=1)
        sampler = order if isinstance(order, ds.Sampler) else ds.SubsetSampler(order.tolist())
        return ds.GeneratorDataset(self, columns, sampler=sampler, num_parallel_workers=1)

    def instead_of(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """What stands where a file cannot be used."""
        path = self.files[index]
        raise self.failed(
            f"{path}: cannot be read as an image ({self.faults[path]}): replace it by a JPEG, PNG, BMP, PPM, TIFF, "
            "GIF or WebP file, or remove it"
        )

    def add_fault(self, path: Path, fault: str) -> None:
        """Note that a file cannot be used."""
        self.faults[path] = fault

    def failed(self, message: str) -> UserError:
        """The error to raise, kept for the thread that waits for the batches."""
        self.failure = UserError(message)
        return self.failure

    def find_undecodable(self) -> bool:
        """Decode what was read last, until a file is found that is damaged within; whether there was one."""
        for path in reversed(tuple(self._recent)):
            fault = "" if path in self.faults else decoding_fault(path)
            if fault:
                self.add_fault(path, fault)
                return True
        return False


def image_batches(
    source: Source,
    order: np.ndarray | ds.Sampler,
    transforms: list,
    batch_size: int,
    num_workers: int,
    batch_step: Callable | None = None,
) -> ds.Dataset:
    """Batches (image (B, 3, H, W) float32, label (B,) int32) of the samples in `order`: positions, or a sampler.

    At most `num_workers` threads decode, no more than there are cores. `batch_step` changes the images and labels of a
    batch before they are put together (see datasets.batch_step).
    """
    pipeline = source.pipeline(order, num_workers)
    pipeline = pipeline.map(transforms, "image", num_parallel_workers=clamp_workers(num_workers))
    return pipeline.batch(batch_size, drop_remainder=True, per_batch_map=batch_step)


def readable_batches(start: Callable[[], Iterator], source: Source, first_batch: int = 0) -> Iterator:
    """The batches from `first_batch` on, across files that only their decoding shows to be damaged.

    Such a file takes the framework's pipeline down. It is then found, and the pipeline is started again as if it had
    been known from the beginning: what comes does not depend on when a file was found out.

    Args:
        start: begins the pipeline anew; always the same batches but for the source's faults.
        source: what the pipeline reads.

    Raises:
        UserError: the source gave up, or reading failed for another reason.
    """
    num_done, failed_at = first_batch, -1
    while True:
        batches = start()
        try:
            for _ in range(num_done):
                next(batches)
            for batch in batches:
                num_done += 1
                yield batch
            return
        except RuntimeError as error:
            if source.failure is not None:
                raise source.failure from None
            # After some broken files the framework's decoder fails on a good one, too: hence a second try.
            if not source.find_undecodable() and failed_at == num_done:
                raise UserError(f"reading the images failed: {_cause(error)}") from None
            failed_at = num_done


def read_images(files: Sequence[Path], transforms: list) -> np.ndarray:
    """The images (N, 3, H, W) float32 of a few files.

    Raises:
        UserError: a file that is not there or cannot be decoded.
    """
    source = EncodedImages(files, np.zeros(len(files)))
    batches = image_batches(source, np.arange(len(files)), transforms, len(files), num_workers=1)
    start = partial(batches.create_tuple_iterator, num_epochs=1, output_numpy=True)
    return next(readable_batches(start, source))[0]


def _cause(error: RuntimeError) -> str:
    lines = str(error).strip().splitlines()
    causes = [line for line in lines if line.startswith("[ERROR]")] or lines
    return causes[0].removeprefix("[ERROR]").strip()
