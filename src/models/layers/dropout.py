"""Dropout and drop path with masks that depend only on (seed, layer, rank, step)."""

from math import prod

from mindspore import nn

from .keyed_random import KeyedRandom


class Dropout(KeyedRandom):
    """Zeroed elements with probability `rate`, the others over 1 - rate, in training: (...) -> the same shape."""

    def __init__(self, rate: float):
        super().__init__()
        self.keep = 1.0 - rate

    def mask_shape(self, x):
        """One entry for each part of x that is kept or dropped; it broadcasts to x."""
        return x.shape

    def construct(self, x):
        if not self.training:
            return x
        shape = self.mask_shape(x)
        kept = self.uniform(prod(shape)).reshape(shape) < self.keep
        return x * (kept.astype(x.dtype) / self.keep)


class DropPath(Dropout):
    """Drops the whole residual branch of an image (Huang et al. 2016)."""

    def mask_shape(self, x):
        return x.shape[:1] + (1,) * (x.ndim - 1)


class ChannelDropout(Dropout):
    """Drops whole channels of an image's map (Tompson et al. 2015)."""

    def mask_shape(self, x):
        return x.shape[:2] + (1, 1)


def dropout(rate: float) -> nn.Cell:
    """Dropout layer; rate 0 costs no operator."""
    return Dropout(rate) if rate > 0 else nn.Identity()


def drop_path(rate: float) -> nn.Cell:
    """Drop-path layer; rate 0 costs no operator."""
    return DropPath(rate) if rate > 0 else nn.Identity()


def channel_dropout(rate: float) -> nn.Cell:
    """Channel dropout layer; rate 0 costs no operator."""
    return ChannelDropout(rate) if rate > 0 else nn.Identity()
