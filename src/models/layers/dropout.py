"""Dropout and drop path with masks that depend only on (seed, layer, rank, step)."""

from mindspore import nn

from .keyed_random import KeyedRandom


class Dropout(KeyedRandom):
    """Zero each element with probability `rate` in training and scale the others by 1 / (1 - rate)."""

    def __init__(self, rate: float):
        super().__init__()
        self.keep = 1.0 - rate

    def construct(self, x):
        if not self.training:
            return x
        kept = self.uniform(x.size).reshape(x.shape) < self.keep
        return x * (kept.astype(x.dtype) / self.keep)


class DropPath(KeyedRandom):
    """Drop a whole residual branch of an image with probability `rate` in training (Huang et al. 2016)."""

    def __init__(self, rate: float):
        super().__init__()
        self.keep = 1.0 - rate

    def construct(self, x):
        if not self.training:
            return x
        kept = self.uniform(x.shape[0]).reshape((-1,) + (1,) * (x.ndim - 1)) < self.keep
        return x * (kept.astype(x.dtype) / self.keep)


class ChannelDropout(KeyedRandom):
    """Drop whole channels of an image's map with probability `rate` in training (Tompson et al. 2015)."""

    def __init__(self, rate: float):
        super().__init__()
        self.keep = 1.0 - rate

    def construct(self, x):
        if not self.training:
            return x
        batch, channels = x.shape[:2]
        kept = self.uniform(batch * channels).reshape((batch, channels, 1, 1)) < self.keep
        return x * (kept.astype(x.dtype) / self.keep)


def dropout(rate: float) -> nn.Cell:
    """Dropout layer; rate 0 costs no operator."""
    return Dropout(rate) if rate > 0 else nn.Identity()


def drop_path(rate: float) -> nn.Cell:
    """Drop-path layer; rate 0 costs no operator."""
    return DropPath(rate) if rate > 0 else nn.Identity()


def channel_dropout(rate: float) -> nn.Cell:
    """Channel dropout layer; rate 0 costs no operator."""
    return ChannelDropout(rate) if rate > 0 else nn.Identity()
