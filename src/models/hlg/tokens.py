"""Arrangements of a square map's tokens: as a map, as a sequence, in groups.

Letters in shape comments: B images, C channels, S side of the map, N = S * S tokens, W side of a group, G = (S / W)^2
groups. No shape names B, so that an exported network takes any batch.
"""

import numpy as np
from mindspore import nn


def sequence_of(x):
    """(B, C, S, S) -> (B, N, C)."""
    _, channels, height, width = x.shape
    return x.reshape((-1, channels, height * width)).transpose((0, 2, 1))


def map_of(x, side):
    """(B, N, C) -> (B, C, S, S)."""
    return x.transpose((0, 2, 1)).reshape((-1, x.shape[2], side, side))


class Windows(nn.Cell):
    """Groups of neighbours: `split` (B, N, C) -> (B * G, W * W, C), `join` back."""

    def __init__(self, side: int, window: int):
        super().__init__()
        self.side, self.window = side, window
        self.num_windows = side // window  # along one side

    def split(self, x):
        count, window, channels = self.num_windows, self.window, x.shape[2]
        x = x.reshape((-1, count, window, count, window, channels))
        return x.transpose((0, 1, 3, 2, 4, 5)).reshape((-1, window * window, channels))

    def join(self, x):
        count, window, channels = self.num_windows, self.window, x.shape[2]
        x = x.reshape((-1, count, count, window, window, channels))
        return x.transpose((0, 1, 3, 2, 4, 5)).reshape((-1, self.side * self.side, channels))

    def members(self) -> np.ndarray:
        """(G, W * W) numbers, row by row, of the tokens of each group."""
        return self.split(np.arange(self.side**2).reshape((1, -1, 1)))[:, :, 0]


class DilatedWindows(Windows):
    """Groups that span the map: each takes every (S / W)-th row and column."""

    def split(self, x):
        count, window, channels = self.num_windows, self.window, x.shape[2]
        x = x.reshape((-1, window, count, window, count, channels))
        return x.transpose((0, 2, 4, 1, 3, 5)).reshape((-1, window * window, channels))

    def join(self, x):
        count, window, channels = self.num_windows, self.window, x.shape[2]
        x = x.reshape((-1, count, count, window, window, channels))
        return x.transpose((0, 3, 1, 4, 2, 5)).reshape((-1, self.side * self.side, channels))
