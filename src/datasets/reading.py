"""Samples of a data set by position, read ahead of their use, and substitutes for unreadable images.

A `Source` is one data set; `ImageFiles` are those of classification. An image that cannot be read is replaced by
another image of its class in training, counts as wrong in evaluation, and is an error elsewhere.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, TimeoutError
from pathlib import Path
from threading import Lock
from typing import Any

import mindspore.dataset as ds
import numpy as np

from src.config import Standstill, UserError
from src.datasets.decoding import Unreadable, read_image
from src.runtime.device import clamp_workers
from src.runtime.logs import get_logger

COLUMNS = ["image", "label"]
NUM_NAMED = 3  # files listed in a message


class Source:
    """Samples of a data set: `source[position]` is (image, label). Several threads may read at once.

    Attributes:
        failure: the error that ended reading, kept for the thread that consumes the batches.
        timeout: longest time to wait for a sample, seconds; 0: no limit.
        raises: raise the failure inside the framework's pipeline, which consumes the batches itself in sink mode.
        current: the position being waited for.
    """

    def __init__(self) -> None:
        self.failure: Exception | None = None
        self.timeout = 0.0
        self.raises = False
        self.current: int | None = None

    def place(self, index: int) -> str:
        """The origin of a sample, for messages."""
        return f"sample {index}"

    def standstill(self, what: str, seconds: float) -> str:
        """The message of a run that ends because no `what` (sample, batch) arrived for `seconds`."""
        place = "" if self.current is None else f" while reading {self.place(self.current)}"
        return f"no {what} for {seconds:g} s{place}: check the drive, or increase --data_timeout (0: no limit)"

    def pipeline(self, order: Collection[int], num_workers: int) -> ds.Dataset:
        """Rows (image, label) of the samples in `order`, read by at most `num_workers` threads, in that order.

        When reading fails, the rows end early and `failure` is set: a framework pipeline started after a failed one
        can wait forever.
        """
        return ds.GeneratorDataset(ReadAhead(self, order, clamp_workers(num_workers)), COLUMNS, num_parallel_workers=1)


class ReadAhead:
    """Samples in `order`, one at a time, while `num_threads` threads read the following ones.

    Each iteration starts `order` again. An exception raised by a sample becomes the source's `failure` and ends the
    iteration.
    """

    def __init__(self, source: Source, order: Collection[int], num_threads: int):
        self._source, self._order, self._num_threads = source, order, num_threads

    def __len__(self) -> int:
        return len(self._order)

    def __iter__(self) -> Iterator[Any]:
        waiting: deque = deque()
        pool = ThreadPoolExecutor(self._num_threads)
        try:
            for index in self._order:
                waiting.append((index, pool.submit(self._source.__getitem__, index)))
                if len(waiting) > 2 * self._num_threads:
                    yield self._result(*waiting.popleft())
            while waiting:
                yield self._result(*waiting.popleft())
        except Exception as error:
            self._source.failure = error
            if self._source.raises:
                raise
        finally:
            # Do not wait: a thread may be blocked by its drive.
            pool.shutdown(wait=False, cancel_futures=True)

    def _result(self, index: int, sample: Future) -> Any:
        source = self._source
        source.current = index
        try:
            return sample.result(source.timeout or None)
        except TimeoutError:
            if sample.done():  # its own error
                raise
            raise Standstill(source.standstill("sample", source.timeout)) from None


class ImageFiles(Source):
    """Image files and their labels: (H, W, 3) uint8 and () int32. An unreadable file ends reading.

    Attributes:
        faults: {unreadable file found so far: reason}.
    """

    def __init__(self, files: Sequence[Path], labels: Sequence[int]):
        super().__init__()
        self.files, self.labels = files, np.asarray(labels, np.int32)
        self.faults: dict[Path, str] = {}
        self._counting = Lock()

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        pixels = self.read(index)
        return (pixels, self.labels[index]) if pixels is not None else self.instead_of(index)

    def place(self, index: int) -> str:
        return str(self.files[index])

    def read(self, index: int) -> np.ndarray | None:
        """The pixels of a file, (H, W, 3) uint8; None if it cannot be read."""
        path = self.files[index]
        if path in self.faults:
            return None
        try:
            return read_image(path)
        except Unreadable as fault:
            with self._counting:
                if path not in self.faults:
                    self.add_fault(path, str(fault))
            return None

    def add_fault(self, path: Path, fault: str) -> None:
        """Record that a file cannot be read."""
        self.faults[path] = fault

    def instead_of(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """The substitute for a sample that cannot be read."""
        path = self.files[index]
        raise UserError(
            f"{path}: cannot be read as an image ({self.faults[path]}): replace it with a JPEG, PNG, BMP, PPM, TIFF, "
            "GIF or WebP file, or remove it"
        )


class TrainingImages(ImageFiles):
    """Training set in which an unreadable image is replaced by another image of its class.

    The replacement depends on (seed, index) only: it is the same in every epoch and after a resume.

    Args:
        files, labels: the samples.
        seed: the run's seed.
        max_bad_images: largest tolerated share of unreadable files, 0-1.
    """

    def __init__(self, files: Sequence[Path], labels: Sequence[int], *, seed: int, max_bad_images: float):
        super().__init__(files, labels)
        self._seed, self._max_bad_images = seed, max_bad_images

    def instead_of(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        label = self.labels[index]
        others = np.flatnonzero(self.labels == label)
        for other in np.random.default_rng((self._seed, index)).permutation(others):
            pixels = self.read(other)
            if pixels is not None:
                return pixels, label
        raise UserError(f"{self.files[index].parent}: none of its {len(others)} images can be read: replace them")

    def add_fault(self, path: Path, fault: str) -> None:
        super().add_fault(path, fault)
        num_bad, num_files = len(self.faults), len(self.files)
        if num_bad > self._max_bad_images * num_files:
            raise UserError(too_many_bad(self.faults, num_files, self._max_bad_images))
        if _worth_a_line(num_bad):
            get_logger().warning(
                "%s: cannot be read as an image (%s): replaced by another image of its class; %d of %d so far",
                *(path, fault, num_bad, num_files),
            )


class EvaluationImages(ImageFiles):
    """Validation set in which an unreadable image counts as wrong: it is a black image with label -1 - its class."""

    def instead_of(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        return black_image(), np.int32(-1) - self.labels[index]

    def add_fault(self, path: Path, fault: str) -> None:
        super().add_fault(path, fault)
        if _worth_a_line(len(self.faults)):
            text = "%s: cannot be read as an image (%s): it counts as wrong; %d so far"
            get_logger().warning(text, path, fault, len(self.faults))


def black_image() -> np.ndarray:
    """One black pixel, (1, 1, 3) uint8: the substitute for an unreadable image."""
    return np.zeros((1, 1, 3), np.uint8)


def too_many_bad(faults: dict[Path, str], num_files: int, max_bad_images: float) -> str:
    """The message of a run that stops because too many images are unreadable."""
    named = "; ".join(f"{path} ({fault})" for path, fault in list(faults.items())[:NUM_NAMED])
    return (
        f"max_bad_images {max_bad_images:g}: {len(faults)} of {num_files} training images cannot be read: {named}: "
        "replace or remove them (--check_dataset 1 lists them all), or increase --max_bad_images"
    )


def _worth_a_line(num_bad: int) -> bool:
    """Whether to log this file: the first ten, then each time the number doubles. A bad disk must not fill the log."""
    return num_bad <= 10 or num_bad & (num_bad - 1) == 0
