"""Arrangements of a square map's tokens: as a map, as a sequence, in groups.

Letters in shape comments: B images, C channels, S side of the map, N = S * S tokens, W side of a group, G = (S / W)^2
groups. No shape names B, so that an exported network takes any batch.
"""

import numpy as np
from mindspore import nn

from ..layers import LayerContext, row_transpose


def sequence_of(x):
    """(B, C, S, S) -> (B, N, C)."""
    _, channels, height, width = x.shape
    return x.reshape((-1, channels, height * width)).transpose((0, 2, 1))


def map_of(x, side):
    """(B, N, C) -> (B, C, S, S)."""
    return x.transpose((0, 2, 1)).reshape((-1, x.shape[2], side, side))


class Windows(nn.Cell):
    """Groups of neighbours: `split` (B, N, C) -> (B * G, W * W, C), `join` back."""

    def __init__(self, side: int, window: int, context: LayerContext):
        super().__init__()
        self.side, self.window = side, window
        self.num_windows = side // window  # along one side
        self.row_transpose = row_transpose(context)
        self.shape, self.axes = self.arrangement(self.num_windows, window)
        self.split_shape = tuple(self.shape[axis] for axis in self.axes)
        self.axes_back = tuple(np.argsort(self.axes).tolist())

    def arrangement(self, count: int, window: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The map's two sides as four axes, and the axes' order in groups: two of the groups', two within a group."""
        return (count, window, count, window), (0, 2, 1, 3)

    def split(self, x):
        return self.row_transpose(x, self.shape, self.axes).reshape((-1, self.window**2, x.shape[2]))

    def join(self, x):
        return self.row_transpose(x, self.split_shape, self.axes_back)

    def members(self) -> np.ndarray:
        """(G, W * W) numbers, row by row, of the tokens of each group."""
        return np.arange(self.side**2).reshape(self.shape).transpose(self.axes).reshape((-1, self.window**2))


class DilatedWindows(Windows):
    """Groups that span the map: each takes every (S / W)-th row and column."""

    def arrangement(self, count: int, window: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
        return (window, count, window, count), (1, 3, 0, 2)
