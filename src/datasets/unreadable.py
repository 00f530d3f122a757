"""What stands in for images that cannot be read: in training another one of the class, in evaluation a wrong answer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from src.datasets.encoded import black_image
from src.datasets.pipeline import EncodedImages
from src.runtime.logs import get_logger

NUM_NAMED = 3  # files that a message names


class TrainingImages(EncodedImages):
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
            data = self.read(other)
            if data is not None:
                return data, label
        raise self.failed(f"{self.files[index].parent}: none of its {len(others)} images can be read: replace them")

    def add_fault(self, path: Path, fault: str) -> None:
        super().add_fault(path, fault)
        num_bad, num_files = len(self.faults), len(self.files)
        if num_bad > self._max_bad_images * num_files:
            raise self.failed(too_many_bad(self.faults, num_files, self._max_bad_images))
        if _worth_a_line(num_bad):
            get_logger().warning(
                "%s: cannot be read as an image (%s), another one of its class takes its place; %d of %d so far",
                *(path, fault, num_bad, num_files),
            )


class EvaluationImages(EncodedImages):
    """A validation set in which an image that cannot be read counts as wrong: it comes black, with -1 - its label."""

    def instead_of(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        return black_image(), np.int32(-1) - self.labels[index]

    def add_fault(self, path: Path, fault: str) -> None:
        super().add_fault(path, fault)
        if _worth_a_line(len(self.faults)):
            text = "%s: cannot be read as an image (%s): it counts as wrong; %d so far"
            get_logger().warning(text, path, fault, len(self.faults))


def _worth_a_line(num_bad: int) -> bool:
    """A bad disk must not fill the log: ten files are named, then each time that their number has doubled."""
    return num_bad <= 10 or num_bad & (num_bad - 1) == 0


def too_many_bad(faults: dict[Path, str], num_files: int, max_bad_images: float) -> str:
    """The message of a run that stops because of them."""
    named = "; ".join(f"{path} ({fault})" for path, fault in list(faults.items())[:NUM_NAMED])
    return (
        f"max_bad_images {max_bad_images:g}: {len(faults)} of {num_files} training images cannot be read: {named}: "
        "replace or remove them (--check_dataset 1 lists them all), or give a larger --max_bad_images"
    )
