"""Sliding-window and multi-scale prediction of large images, in NumPy; `predict` is any callable.

Source: the evaluation of DGCNet (L. Zhang et al., BMVC 2019): windows overlap by a third, and their logits are
averaged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from math import ceil

import numpy as np

from src.inference.rows import Rows

OVERLAP = 1 / 3

# (N, 3, S, S) float32 -> logits (N, K, S, S)
Predict = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Window:
    """A part of an image in pixels; `bottom` and `right` are exclusive."""

    top: int
    left: int
    bottom: int
    right: int


def window_starts(side: int, window: int, overlap: float = OVERLAP) -> list[int]:
    """First pixels of the windows along a side: multiples of the stride; the last window ends with the image."""
    stride = ceil(window * (1 - overlap))
    num_windows = max(ceil((side - window) / stride), 0) + 1
    return [max(min(index * stride, side - window), 0) for index in range(num_windows)]


def windows(height: int, width: int, window: int, overlap: float = OVERLAP) -> list[Window]:
    """The windows that cover an image, row by row; smaller than `window` if the image is."""
    return [
        Window(top, left, min(top + window, height), min(left + window, width))
        for top in window_starts(height, window, overlap)
        for left in window_starts(width, window, overlap)
    ]


def cut(image: Rows, window: Window, size: int) -> np.ndarray:
    """The window of an image (3, H, W) as network input (3, size, size), padded with zeros below and on the right."""
    part = image.read(window.top, window.bottom)[..., window.left : window.right]
    tile = np.zeros((part.shape[0], size, size), part.dtype)
    tile[:, : part.shape[1], : part.shape[2]] = part
    return tile


def predict_windows(predict: Predict, image: Rows, size: int, *, batch_size: int = 1, overlap: float = OVERLAP) -> Rows:
    """Logits (K, H, W) of an image from overlapping windows: at each pixel, the mean over the windows that contain it.

    Args:
        predict: (batch_size, 3, size, size) float32 -> logits (batch_size, K, size, size). The last batch is padded by
            repeating its last tile, so that one compiled graph serves all; logits of padding are dropped.
        image: (3, H, W) float32, normalised; it is read in any order.
        size: side of a window in pixels.
        batch_size: windows per call.
        overlap: overlap of neighbouring windows, as a fraction of their side.
    """
    places = windows(image.height, image.width, size, overlap)
    read = lru_cache(maxsize=1)(image.read)  # the windows beside each other have the same rows
    tiles = _tiles_logits(predict, replace(image, read=read), places, size, batch_size)
    return Rows(image.height, image.width, _WindowMeans(places, tiles, image.width).read)


class _WindowMeans:
    """Means of overlapping windows, of which it holds the rows that are not read yet.

    Args:
        places: the windows, row by row.
        tiles: their logits (K, size, size), computed when they are asked for.
        width: of the image.
    """

    def __init__(self, places: Sequence[Window], tiles: Iterator[np.ndarray], width: int):
        self._places, self._tiles, self._num_added = places, tiles, 0
        self._first = 0  # row of the image with which the sums begin
        self._total, self._count = np.zeros((0, 0, width), np.float32), np.zeros((0, width), np.float32)

    def read(self, begin: int, end: int) -> np.ndarray:
        """The rows from `begin` to before `end`; those above `begin` are dropped."""
        self._total, self._count = self._total[:, begin - self._first :].copy(), self._count[begin - self._first :]
        self._first = begin
        while self._num_added < len(self._places) and self._places[self._num_added].top < end:
            self._add(self._places[self._num_added], next(self._tiles))
            self._num_added += 1
        return self._total[:, : end - begin] / self._count[: end - begin]

    def _add(self, place: Window, logits: np.ndarray) -> None:
        self._extend(logits.shape[0], place.bottom - self._first)
        skipped = max(self._first - place.top, 0)  # rows that are not asked for
        rows = slice(max(place.top - self._first, 0), place.bottom - self._first)
        columns = slice(place.left, place.right)
        self._total[:, rows, columns] += logits[:, skipped : place.bottom - place.top, : place.right - place.left]
        self._count[rows, columns] += 1

    def _extend(self, num_classes: int, num_rows: int) -> None:
        """Add rows of zeros below, up to `num_rows`."""
        height, width = self._count.shape
        if num_rows > height:
            total, count = np.zeros((num_classes, num_rows, width), np.float32), np.zeros((num_rows, width), np.float32)
            if height:
                total[:, :height], count[:height] = self._total, self._count
            self._total, self._count = total, count


def _tiles_logits(
    predict: Predict, image: Rows, places: Sequence[Window], size: int, batch_size: int
) -> Iterator[np.ndarray]:
    """The logits (K, size, size) of each window."""
    for start in range(0, len(places), batch_size):
        group = places[start : start + batch_size]
        tiles = [cut(image, place, size) for place in group]
        tiles += tiles[-1:] * (batch_size - len(group))
        yield from predict(np.stack(tiles))[: len(group)]


def predict_scales(
    predict_image: Callable[[Rows], Rows],
    image: np.ndarray,
    scales: Sequence[float] = (1.0,),
    flip: bool = False,
) -> Iterator[Rows]:
    """Logits (K, H, W) of an image from scaled copies of it, for each scale; their mean is the prediction.

    Args:
        predict_image: an image (3, h, w) -> its logits (K, h, w).
        image: (3, H, W) float32, normalised.
        scales: factors applied to both sides.
        flip: average with the logits of mirrored copies.
    """
    height, width = image.shape[1:]
    for scale in scales:
        scaled = Rows.of(image).resized(round(height * scale), round(width * scale))
        logits = predict_image(scaled)
        if flip:
            logits = _mean(logits, predict_image(scaled.mirrored()).mirrored())
        yield logits.resized(height, width)


def _mean(one: Rows, other: Rows) -> Rows:
    return Rows(one.height, one.width, lambda begin, end: (one.read(begin, end) + other.read(begin, end)) / 2)
