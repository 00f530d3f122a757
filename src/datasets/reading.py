"""Samples of a data set by position, read ahead of their use, and substitutes for unreadable files.

A `Source` is one data set; `ImageFiles` are those of classification. A sample whose file cannot be read is replaced by
another one in training, counts as wrong in evaluation, and is an error elsewhere.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, TimeoutError
from pathlib import Path
from threading import Lock
from typing import Any

import mindspore.dataset as ds
import numpy as np

from src.config import Standstill, UserError
from src.datasets.decoding import FORMAT_NAMES, Unreadable, read_image
from src.runtime.device import clamp_workers
from src.runtime.logs import get_logger

COLUMNS = ["image", "label"]
NUM_NAMED = 3  # files listed in a message

Sample = tuple[np.ndarray, np.ndarray]  # (image, label)


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


class FileSource(Source, ABC):
    """Samples in files. A file that cannot be read is named once and remembered.

    Attributes:
        faults: {unreadable file found so far: reason}.
    """

    def __init__(self) -> None:
        super().__init__()
        self.faults: dict[Path, str] = {}
        self._counting = Lock()

    @abstractmethod
    def files_of(self, index: int) -> tuple[Path, ...]:
        """The files of a sample, the image first."""

    @abstractmethod
    def load(self, index: int) -> Sample:
        """A sample from its files; Unreadable if one of them cannot be read."""

    @abstractmethod
    def instead_of(self, index: int) -> Sample:
        """The substitute for a sample that cannot be read."""

    def add_fault(self, path: Path, fault: str) -> None:
        """Record that a file cannot be read; called once per file."""
        self.faults[path] = fault

    def __getitem__(self, index: int) -> Sample:
        sample = self.attempt(index)
        return sample if sample is not None else self.instead_of(index)

    def attempt(self, index: int) -> Sample | None:
        """A sample; None if one of its files cannot be read."""
        if not self.faults.keys().isdisjoint(self.files_of(index)):
            return None
        try:
            return self.load(index)
        except Unreadable as fault:
            with self._counting:
                if fault.path not in self.faults:
                    self.add_fault(fault.path, str(fault))
            return None

    def place(self, index: int) -> str:
        return str(self.files_of(index)[0])


class ImageFiles(FileSource):
    """Image files and their labels: (H, W, 3) uint8 and () int32. An unreadable file ends reading."""

    def __init__(self, files: Sequence[Path], labels: Sequence[int]):
        super().__init__()
        self.files, self.labels = files, np.asarray(labels, np.int32)

    def __len__(self) -> int:
        return len(self.files)

    def files_of(self, index: int) -> tuple[Path, ...]:
        return (self.files[index],)

    def load(self, index: int) -> Sample:
        return read_image(self.files[index]), self.labels[index]

    def instead_of(self, index: int) -> Sample:
        raise unusable(self.files[index], self.faults[self.files[index]])


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

    def instead_of(self, index: int) -> Sample:
        others = np.flatnonzero(self.labels == self.labels[index])
        sample = first_readable(self, others, (self._seed, index))
        if sample is None:
            raise UserError(f"{self.files[index].parent}: none of its {len(others)} images can be read: replace them")
        return sample

    def add_fault(self, path: Path, fault: str) -> None:
        super().add_fault(path, fault)
        replaced(self.faults, len(self.files), self._max_bad_images, "another image of its class")


class EvaluationImages(ImageFiles):
    """Validation set in which an unreadable image counts as wrong: it is a black image with label -1 - its class."""

    def instead_of(self, index: int) -> Sample:
        return black_image(), np.int32(-1) - self.labels[index]

    def add_fault(self, path: Path, fault: str) -> None:
        super().add_fault(path, fault)
        counted_as_wrong(self.faults)


def unusable(path: Path, fault: str) -> UserError:
    """The error about a file that is needed and cannot be read."""
    return UserError(
        f"{path}: cannot be read as an image ({fault}): replace it with a {FORMAT_NAMES} file, or remove it"
    )


def first_readable(source: FileSource, indices: np.ndarray, key: tuple[int, ...]) -> Sample | None:
    """The first sample that can be read, in an order drawn from `key`; None if there is none."""
    samples = (source.attempt(int(index)) for index in np.random.default_rng(key).permutation(indices))
    return next((sample for sample in samples if sample is not None), None)


def replaced(faults: dict[Path, str], num_files: int, max_bad_images: float, substitute: str) -> None:
    """Log the newest of the unreadable training files; UserError above the tolerated share of the `num_files`."""
    if len(faults) > max_bad_images * num_files:
        raise UserError(too_many_bad(faults, num_files, max_bad_images))
    _log_newest(faults, f"replaced by {substitute}", f" of {num_files}")


def counted_as_wrong(faults: dict[Path, str]) -> None:
    """Log the newest of the unreadable validation files."""
    _log_newest(faults, "it counts as wrong")


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


def _log_newest(faults: dict[Path, str], consequence: str, total: str = "") -> None:
    """One line for the first ten, then each time the number doubles: a bad disk must not fill the log."""
    count = len(faults)
    if count <= 10 or count & (count - 1) == 0:
        path, fault = list(faults.items())[-1]
        text = "%s: cannot be read as an image (%s): %s; %d%s so far"
        get_logger().warning(text, path, fault, consequence, count, total)
