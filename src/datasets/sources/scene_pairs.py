"""ScenePair: an image with its label file; decoding and inspection of both."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from src.config import UserError
from src.datasets.sources.label_table import IGNORED, LabelTable


@dataclass(frozen=True)
class ScenePair:
    """An image and its label file; None where the truth is not public (test)."""

    image: Path
    label: Path | None


@dataclass(frozen=True)
class LabelFiles:
    """The label files of a data set.

    Attributes:
        table: the meaning of their values.
        modes: Pillow modes in which the pixels of a file are these values.
        kind: description of such a file, for messages.
        wrong_kind, wrong_value: the remedy for a file of another kind, or with an unknown value.
    """

    table: LabelTable
    modes: tuple[str, ...]
    kind: str
    wrong_kind: str
    wrong_value: str


def open_image(path: Path) -> Image.Image:
    """A decoded image, RGB; UserError if it cannot be decoded.

    Pillow releases Python's lock while it decodes, so reading threads run in parallel; the framework's decoders, called
    one by one, hold it.
    """
    image = _decode(path)
    return image if image.mode == "RGB" else image.convert("RGB")


def open_pair(pair: ScenePair, labels: LabelFiles) -> tuple[Image.Image, Image.Image | None]:
    """The decoded image (RGB) and label (one channel with the file's values) of a pair.

    Raises:
        UserError: a file cannot be decoded, the label is of another kind, or their sizes differ.
    """
    image = open_image(pair.image)
    if pair.label is None:
        return image, None
    label = _decode(pair.label)
    if label.mode not in labels.modes:
        raise UserError(f"{pair.label}: not an {labels.kind} (Pillow mode {label.mode}): {labels.wrong_kind}")
    if label.mode == "1":  # one bit: values 0 and 1, not 0 and 255
        label = Image.fromarray(np.asarray(label, np.uint8))
    if label.size != image.size:
        sizes = ["x".join(map(str, picture.size)) for picture in (label, image)]
        raise UserError(f"{pair.label}: {sizes[0]} pixels, but its image {pair.image} has {sizes[1]}: correct the pair")
    return image, label


def classes_of(values: np.ndarray, path: Path, labels: LabelFiles) -> np.ndarray:
    """The classes, uint8, of values that were read from `path`; UserError names the file."""
    try:
        return labels.table.to_classes(np.asarray(values, np.uint8))
    except ValueError as error:
        raise UserError(f"{path}: {error}: {labels.wrong_value}") from None


def _decode(path: Path) -> Image.Image:
    try:
        with Image.open(path) as picture:
            picture.load()
            return picture
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):  # what Pillow's readers raise
        raise UserError(f"{path}: cannot be read as an image: copy it again") from None


def inspect_pairs(
    pairs: Sequence[ScenePair],
    labels: LabelFiles,
    num_threads: int = 8,
    progress: Callable[[int], None] | None = None,
) -> tuple[np.ndarray, list[str]]:
    """Decode every pair.

    Args:
        num_threads: pairs read in parallel.
        progress: called after each pair with the number of pairs inspected so far.

    Returns:
        (pixels, problems): number of pixels per class, (K + 1,) int64, the last for ignored pixels; and one line per
        pair with a problem, in the order of the pairs.
    """
    pixels, problems = np.zeros(labels.table.num_classes + 1, np.int64), []
    pool = ThreadPoolExecutor(num_threads)
    try:
        for number, found in enumerate(pool.map(lambda pair: _inspect(pair, labels), pairs), 1):
            if progress is not None:
                progress(number)
            if isinstance(found, str):
                problems.append(found)
            else:
                pixels += found
    finally:
        pool.shutdown(cancel_futures=True)  # Ctrl-C ends it at once
    return pixels, problems


def _inspect(pair: ScenePair, labels: LabelFiles) -> np.ndarray | str:
    """The number of pixels per class, (K + 1,), or the problem."""
    num_classes = labels.table.num_classes
    try:
        _, label = open_pair(pair, labels)
        if label is None:
            return np.zeros(num_classes + 1, np.int64)
        counts = np.bincount(classes_of(label, pair.label, labels).ravel(), minlength=256)
    except UserError as error:
        return str(error)
    return np.append(counts[:num_classes], counts[IGNORED])
