"""Rows of planes (of an image, or its logits) that are computed band by band, so that memory holds a band of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Rows:
    """Planes (C, height, width) float32.

    Attributes:
        read: (begin, end) -> the rows from `begin` to before `end`, (C, end - begin, width). Its calls go down the
            planes: a later `begin` is never smaller.
    """

    height: int
    width: int
    read: Callable[[int, int], np.ndarray]

    @classmethod
    def of(cls, planes: np.ndarray) -> Rows:
        """The rows of an array (C, H, W)."""
        return cls(*planes.shape[1:], lambda begin, end: planes[:, begin:end])

    def whole(self) -> np.ndarray:
        """All rows, (C, height, width)."""
        return self.read(0, self.height)

    def mirrored(self) -> Rows:
        """The rows from right to left."""
        return Rows(self.height, self.width, lambda begin, end: self.read(begin, end)[..., ::-1])

    def resized(self, height: int, width: int) -> Rows:
        """Bilinear resizing with half-pixel centres and clamped edges."""
        if (self.height, self.width) == (height, width):
            return self
        (low, high), row_weights = _neighbours(self.height, height)
        columns, column_weights = _neighbours(self.width, width)

        def read(begin: int, end: int) -> np.ndarray:
            first = low[begin]
            planes = self.read(first, high[end - 1] + 1)
            upper, lower = planes[:, low[begin:end] - first], planes[:, high[begin:end] - first]
            planes = upper + (lower - upper) * row_weights[begin:end, None]
            left, right = planes[..., columns[0]], planes[..., columns[1]]
            return left + (right - left) * column_weights

        return Rows(height, width, read)


def _neighbours(side: int, new_side: int) -> tuple[tuple[np.ndarray, np.ndarray], np.ndarray]:
    """The two source pixels of each new pixel, and the weight of the second one."""
    positions = np.clip((np.arange(new_side) + 0.5) * (side / new_side) - 0.5, 0, side - 1)
    low = np.floor(positions).astype(np.intp)
    return (low, np.minimum(low + 1, side - 1)), (positions - low).astype(np.float32)
