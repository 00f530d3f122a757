"""Samples of a data set by position, read ahead of the training, and what stands in for unreadable images.

A `Source` is one data set. Those of classification are `ImageFiles`; an image that cannot be read is replaced by
another image of its class in training, is a wrong answer in evaluation, and an error elsewhere.
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
NUM_NAMED = 3  # files that a message names


class Source:
    """Samples of a data set: `source[position]` is (image, label). Several threads may read at once.

    Attributes:
        failure: what ended the reading, kept for the thread that takes the batches.
        timeout: seconds that a sample may take; 0: no limit.
        raises: let the framework's pipeline fail with it; in sink mode, where no thread of ours takes the batches.
        current: the position that the batches wait for.
    """

    def __init__(self) -> None:
        self.failure: Exception | None = None
        self.timeout = 0.0
        self.raises = False
        self.current: int | None = None

    def place(self, index: int) -> str:
        """Where a sample comes from, for messages."""
        return f"sample {index}"

    def standstill(self, what: str, seconds: float) -> str:
        """The message of a run that ends because no `what` came for so long."""
        place = "" if self.current is None else f" while reading {self.place(self.current)}"
        return f"no {what} for {seconds:g} s{place}: look at the drive, or give a larger --data_timeout (0: no limit)"

    def pipeline(self, order: Collection[int], num_workers: int) -> ds.Dataset:
        """Rows (image, label) of the samples in `order`, read by at most `num_workers` threads, in that order.

        When the reading fails, the rows end early and `failure` is set: after a framework pipeline that fails the next
        one can wait for ever.
        """
        return ds.GeneratorDataset(ReadAhead(self, order, clamp_workers(num_workers)), COLUMNS, num_parallel_workers=1)


class ReadAhead:
    """The samples of `order` one after the other, while `num_threads` threads read the next ones.

    Each iteration takes `order` anew. What a sample raises becomes the source's `failure` and ends the samples.
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
            # Not waited for: a thread may be held up by its drive.
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
    """Image files and their labels: (H, W, 3) uint8 and () int32. An unreadable one ends the reading.

    Attributes:
        faults: the files found so far that cannot be read, with the reason.
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
        """The pixels of a file, None when it cannot be read."""
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
        """Note that a file cannot be read."""
        self.faults[path] = fault

    def instead_of(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """The sample in the place of one that cannot be read."""
        path = self.files[index]
        raise UserError(
            f"{path}: cannot be read as an image ({self.faults[path]}): replace it by a JPEG, PNG, BMP, PPM, TIFF, "
            "GIF or WebP file, or remove it"
        )


class TrainingImages(ImageFiles):
    """A training set in which an image that cannot be read is replaced by another one of its class.

    The replacement is drawn from (seed, index): the same in every epoch and after a resume.

    Args:
        files, labels: the samples.
        seed: the run's.
        max_bad_images: share of the files, 0-1, above which the reading ends.
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
                "%s: cannot be read as an image (%s), another one of its class takes its place; %d of %d so far",
                *(path, fault, num_bad, num_files),
            )


class EvaluationImages(ImageFiles):
    """A validation set in which an image that cannot be read counts as wrong: it comes black, with -1 - its label."""

    def instead_of(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        return black_image(), np.int32(-1) - self.labels[index]

    def add_fault(self, path: Path, fault: str) -> None:
        super().add_fault(path, fault)
        if _worth_a_line(len(self.faults)):
            text = "%s: cannot be read as an image (%s): it counts as wrong; %d so far"
            get_logger().warning(text, path, fault, len(self.faults))


def black_image() -> np.ndarray:
    """One black pixel (1, 1, 3) uint8, in the place of an image that cannot be read."""
    return np.zeros((1, 1, 3), np.uint8)


def too_many_bad(faults: dict[Path, str], num_files: int, max_bad_images: float) -> str:
    """The message of a run that stops because of them."""
    named = "; ".join(f"{path} ({fault})" for path, fault in list(faults.items())[:NUM_NAMED])
    return (
        f"max_bad_images {max_bad_images:g}: {len(faults)} of {num_files} training images cannot be read: {named}: "
        "replace or remove them (--check_dataset 1 lists them all), or give a larger --max_bad_images"
    )


def _worth_a_line(num_bad: int) -> bool:
    """A bad disk must not fill the log: ten files are named, then each time that their number has doubled."""
    return num_bad <= 10 or num_bad & (num_bad - 1) == 0
