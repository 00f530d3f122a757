"""ScenePair: an image with its label file; how both are decoded, and what can be wrong with them."""

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
        table: what their values mean.
        modes: Pillow's modes in which the pixels of a file are those values.
        kind: such a file, in words.
        wrong_kind, wrong_value: what the user can do about a file that is another, or has another value.
    """

    table: LabelTable
    modes: tuple[str, ...]
    kind: str
    wrong_kind: str
    wrong_value: str


def open_image(path: Path) -> Image.Image:
    """A decoded image, RGB; UserError where it cannot be decoded.

    Pillow decodes outside Python's lock, so reading threads run side by side; the framework's decoders, called one by
    one, hold it.
    """
    image = _decode(path)
    return image if image.mode == "RGB" else image.convert("RGB")


def open_pair(pair: ScenePair, labels: LabelFiles) -> tuple[Image.Image, Image.Image | None]:
    """The decoded image (RGB) and label (one channel of a file's values) of a pair.

    Raises:
        UserError: a file cannot be decoded, the label is of another kind, or their sizes differ.
    """
    image = open_image(pair.image)
    if pair.label is None:
        return image, None
    label = _decode(pair.label)
    if label.mode not in labels.modes:
        raise UserError(f"{pair.label}: no {labels.kind} (Pillow's mode {label.mode}): {labels.wrong_kind}")
    if label.mode == "1":  # of one bit: 0 and 1, not black and white
        label = Image.fromarray(np.asarray(label, np.uint8))
    if label.size != image.size:
        sizes = ["x".join(map(str, picture.size)) for picture in (label, image)]
        raise UserError(f"{pair.label}: {sizes[0]} pixels, its image {pair.image} has {sizes[1]}: pair them again")
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
        num_threads: pairs that are read at a time.
        progress: is given the number of pairs looked at, after each of them.

    Returns:
        (pixels, problems): how many pixels each class has, (K + 1,) int64, the last the ignored ones; and all that is
        wrong, a line a pair, in the pairs' order.
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
    """The pixels of each class, (K + 1,), or what is wrong."""
    num_classes = labels.table.num_classes
    try:
        _, label = open_pair(pair, labels)
        if label is None:
            return np.zeros(num_classes + 1, np.int64)
        counts = np.bincount(classes_of(label, pair.label, labels).ravel(), minlength=256)
    except UserError as error:
        return str(error)
    return np.append(counts[:num_classes], counts[IGNORED])
