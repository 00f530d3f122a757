"""Convolution layers whose convolution is a cell, a function of input and weight."""

from mindspore import nn

from ... import standard
from .values import value_of


class FunctionConv(standard.Conv):
    """`standard.Conv` whose `conv2d` is a cell."""

    def construct(self, x):
        return self.conv2d(x, value_of(self.weight))


class BiasedFunctionConv(standard.BiasedConv):
    """`standard.BiasedConv` whose `conv2d` is a cell."""

    def construct(self, x):
        return self.bias_add(self.conv2d(x, value_of(self.weight)), self.bias)


def function_conv(in_channels: int, out_channels: int, size: int, **options) -> nn.Conv2d:
    """`standard.conv`, for a `conv2d` that is a cell."""
    return standard.conv(in_channels, out_channels, size, kinds=(FunctionConv, BiasedFunctionConv), **options)
