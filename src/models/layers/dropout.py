"""Dropout and drop path with masks that depend only on (seed, layer, rank, step)."""

from mindspore import nn

from .keyed_random import KeyedRandom


class _Dropout(KeyedRandom):
    """Zero parts of the input with probability `rate` in training and scale the others by 1 / (1 - rate)."""

    def __init__(self, rate: float):
        super().__init__()
        self.keep = 1.0 - rate

    def draw(self, x):
        """A number in [0, 1) for each part of x, in a shape that broadcasts to x."""
        raise NotImplementedError

    def construct(self, x):
        if not self.training:
            return x
        kept = self.draw(x) < self.keep
        return x * (kept.astype(x.dtype) / self.keep)


class Dropout(_Dropout):
    """Drops elements."""

    def draw(self, x):
        return self.uniform(x.size).reshape(x.shape)


class DropPath(_Dropout):
    """Drops the whole residual branch of an image (Huang et al. 2016)."""

    def draw(self, x):
        return self.uniform(x.shape[0]).reshape((-1,) + (1,) * (x.ndim - 1))


class ChannelDropout(_Dropout):
    """Drops whole channels of an image's map (Tompson et al. 2015)."""

    def draw(self, x):
        batch, channels = x.shape[:2]
        return self.uniform(batch * channels).reshape((batch, channels, 1, 1))


def dropout(rate: float) -> nn.Cell:
    """Dropout layer; rate 0 costs no operator."""
    return Dropout(rate) if rate > 0 else nn.Identity()


def drop_path(rate: float) -> nn.Cell:
    """Drop-path layer; rate 0 costs no operator."""
    return DropPath(rate) if rate > 0 else nn.Identity()


def channel_dropout(rate: float) -> nn.Cell:
    """Channel dropout layer; rate 0 costs no operator."""
    return ChannelDropout(rate) if rate > 0 else nn.Identity()
