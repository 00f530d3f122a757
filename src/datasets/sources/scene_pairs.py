"""ScenePair: an image with its label file; reading and inspection of both."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from src.config import UserError
from src.datasets.decoding import Unreadable, read_image, read_labels
from src.datasets.sources.label_table import IGNORED, LabelTable


@dataclass(frozen=True)
class ScenePair:
    """An image and its label file; None where the truth is not public (test)."""

    image: Path
    label: Path | None

    @property
    def files(self) -> tuple[Path, ...]:
        """The image and, if there is one, its label."""
        return (self.image,) if self.label is None else (self.image, self.label)


@dataclass(frozen=True)
class LabelFiles:
    """The label files of a data set.

    Attributes:
        table: the meaning of their values.
        modes: Pillow modes in which the pixels of a file are these values.
        kind: description of such a file, for messages.
        wrong_kind, wrong_value: the remedy for a file of another kind, or with an unknown value.
        foreign: description of files with another numbering, for messages.
        is_foreign: whether the values (H, W) uint8 of a file are such a numbering's.
    """

    table: LabelTable
    modes: tuple[str, ...]
    kind: str
    wrong_kind: str
    wrong_value: str
    foreign: str = ""
    is_foreign: Callable[[np.ndarray], bool] = lambda values: False


def read_pair(pair: ScenePair, labels: LabelFiles) -> tuple[np.ndarray, np.ndarray | None]:
    """The pixels (H, W, 3) uint8, RGB, of a pair and the values (H, W) uint8 of its label.

    Raises:
        Unreadable: a file cannot be read.
        UserError: the label is of another kind, or their sizes differ.
    """
    image = read_image(pair.image)
    if pair.label is None:
        return image, None
    label = read_label(pair.label, labels)
    if label.shape != image.shape[:2]:
        sizes = [f"{width}x{height}" for height, width in (label.shape, image.shape[:2])]
        raise UserError(f"{pair.label}: {sizes[0]} pixels, but its image {pair.image} has {sizes[1]}: correct the pair")
    return image, label


def read_label(path: Path, labels: LabelFiles) -> np.ndarray:
    """The values (H, W) uint8 of a label file; Unreadable, or UserError if it is of another kind."""
    values, mode = read_labels(path)
    if mode not in labels.modes:
        raise UserError(f"{path}: not an {labels.kind} (Pillow mode {mode}): {labels.wrong_kind}")
    if labels.is_foreign(values):
        raise UserError(f"{path}: {labels.foreign}: {labels.wrong_value}")
    return values


def classes_of(values: np.ndarray, path: Path, labels: LabelFiles) -> np.ndarray:
    """The classes, uint8, of values that were read from `path`; UserError names the file."""
    try:
        return labels.table.to_classes(values)
    except ValueError as error:
        raise UserError(f"{path}: {error}: {labels.wrong_value}") from None


def inspect_pairs(
    pairs: Sequence[ScenePair],
    labels: LabelFiles,
    num_threads: int = 8,
    progress: Callable[[int], None] | None = None,
) -> tuple[np.ndarray, list[str], dict[Path, str]]:
    """Decode every pair.

    Args:
        num_threads: pairs read in parallel.
        progress: called after each pair with the number of pairs inspected so far.

    Returns:
        (pixels, problems, faults): number of pixels per class, (K + 1,) int64, the last for ignored pixels; one line
        per pair with a problem, in the order of the pairs; {unreadable file: reason}.
    """
    pixels, problems, faults = np.zeros(labels.table.num_classes + 1, np.int64), [], {}
    pool = ThreadPoolExecutor(num_threads)
    try:
        for number, found in enumerate(pool.map(lambda pair: _inspect(pair, labels), pairs), 1):
            if progress is not None:
                progress(number)
            if isinstance(found, Unreadable):
                faults[found.path] = str(found)
            elif isinstance(found, UserError):
                problems.append(str(found))
            else:
                pixels += found
    finally:
        pool.shutdown(cancel_futures=True)  # Ctrl-C ends it at once
    return pixels, problems, faults


def _inspect(pair: ScenePair, labels: LabelFiles) -> np.ndarray | UserError | Unreadable:
    """The number of pixels per class, (K + 1,), or the problem."""
    num_classes = labels.table.num_classes
    try:
        _, label = read_pair(pair, labels)
        if label is None:
            return np.zeros(num_classes + 1, np.int64)
        counts = np.bincount(classes_of(label, pair.label, labels).ravel(), minlength=256)
    except (UserError, Unreadable) as error:
        return error
    return np.append(counts[:num_classes], counts[IGNORED])
