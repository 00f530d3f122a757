"""Bias that a layer leaves to the one behind it."""

from mindspore import nn

from ..rows import RowDense
from .library import has_wide_products
from .row_products import RowProduct
from .values import value_of


class BiasLeft(nn.Cell):
    """In the place of a layer's own addition of its bias: returns its output and, not added to it, the bias."""

    def construct(self, x, bias):
        return x, value_of(bias)


class BiasLeavingDense(RowDense):
    """(R, C) -> a pair: rows (R, O) without the bias, the bias (O,)."""

    def construct(self, x):
        return self.matmul(x, value_of(self.weight)), value_of(self.bias)


def linear_leaving_bias(library: str, in_channels: int, out_channels: int) -> nn.Dense:
    """(R, in_channels) -> a pair: rows (R, out_channels) without the bias, the bias (out_channels,)."""
    dense = BiasLeavingDense(in_channels, out_channels)
    if has_wide_products(library):
        dense.matmul = RowProduct(library)
    return dense
