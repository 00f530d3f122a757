"""Sliding-window and multi-scale prediction of large images, in NumPy; `predict` is any callable.

Source: the evaluation of DGCNet (L. Zhang et al., BMVC 2019): windows overlap by a third, and their logits are
averaged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np

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

    @property
    def slices(self) -> tuple[slice, slice]:
        """Slices of the rows and the columns."""
        return slice(self.top, self.bottom), slice(self.left, self.right)


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


def cut(image: np.ndarray, window: Window, size: int) -> np.ndarray:
    """The window of an image (3, H, W) as network input (3, size, size), padded with zeros below and on the right."""
    part = image[(slice(None), *window.slices)]
    tile = np.zeros((image.shape[0], size, size), image.dtype)
    tile[:, : part.shape[1], : part.shape[2]] = part
    return tile


def predict_windows(
    predict: Predict, image: np.ndarray, size: int, *, batch_size: int = 1, overlap: float = OVERLAP
) -> np.ndarray:
    """Logits of an image from overlapping windows: at each pixel, the mean over the windows that contain it.

    Args:
        predict: (batch_size, 3, size, size) float32 -> logits (batch_size, K, size, size). The last batch is padded by
            repeating its last tile, so that one compiled graph serves all; logits of padding are dropped.
        image: (3, H, W) float32, normalised.
        size: side of a window in pixels.
        batch_size: windows per call.
        overlap: overlap of neighbouring windows, as a fraction of their side.

    Returns:
        (K, H, W) float32.
    """
    places = windows(*image.shape[1:], size, overlap)
    total, count = None, np.zeros(image.shape[1:], np.float32)
    for place, logits in _tiles_logits(predict, image, places, size, batch_size):
        if total is None:
            total = np.zeros((logits.shape[0], *count.shape), np.float32)
        height, width = place.bottom - place.top, place.right - place.left
        total[(slice(None), *place.slices)] += logits[:, :height, :width]
        count[place.slices] += 1
    total /= count
    return total


def _tiles_logits(
    predict: Predict, image: np.ndarray, places: Sequence[Window], size: int, batch_size: int
) -> Iterator[tuple[Window, np.ndarray]]:
    """Each window with its logits (K, size, size)."""
    for start in range(0, len(places), batch_size):
        group = places[start : start + batch_size]
        tiles = [cut(image, place, size) for place in group]
        tiles += tiles[-1:] * (batch_size - len(group))
        yield from zip(group, predict(np.stack(tiles)), strict=False)


def predict_scales(
    predict_image: Callable[[np.ndarray], np.ndarray],
    image: np.ndarray,
    scales: Sequence[float] = (1.0,),
    flip: bool = False,
) -> np.ndarray:
    """Logits of an image as the mean over scaled and mirrored copies of it.

    Args:
        predict_image: an image (3, h, w) -> its logits (K, h, w).
        image: (3, H, W) float32, normalised.
        scales: factors applied to both sides.
        flip: average with the logits of mirrored copies.

    Returns:
        (K, H, W) float32.
    """
    height, width = image.shape[1:]
    total = 0.0
    for scale in scales:
        scaled = resize(image, round(height * scale), round(width * scale))
        logits = predict_image(scaled)
        if flip:
            mirrored = predict_image(np.ascontiguousarray(scaled[..., ::-1]))
            logits = (logits + mirrored[..., ::-1]) / 2
        total = total + resize(logits, height, width)
    return total / np.float32(len(scales))


def resize(planes: np.ndarray, height: int, width: int) -> np.ndarray:
    """Bilinear resizing with half-pixel centres and clamped edges: (C, h, w) float32 -> (C, height, width)."""
    if planes.shape[1:] == (height, width):
        return planes
    rows, row_weights = _neighbours(planes.shape[1], height)
    columns, column_weights = _neighbours(planes.shape[2], width)
    upper, lower = planes[:, rows[0]], planes[:, rows[1]]
    planes = upper + (lower - upper) * row_weights[:, None]
    left, right = planes[..., columns[0]], planes[..., columns[1]]
    return left + (right - left) * column_weights


def _neighbours(side: int, new_side: int) -> tuple[tuple[np.ndarray, np.ndarray], np.ndarray]:
    """The two source pixels of each new pixel, and the weight of the second one."""
    positions = np.clip((np.arange(new_side) + 0.5) * (side / new_side) - 0.5, 0, side - 1)
    low = np.floor(positions).astype(np.intp)
    return (low, np.minimum(low + 1, side - 1)), (positions - low).astype(np.float32)
