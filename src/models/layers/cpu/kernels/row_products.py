"""Linear layers of rows by matrix products of our own, where these outpace the framework's."""

from mindspore import nn, ops

from ..rows import RowBias, RowDense
from .library import has_wide_products, kernel
from .values import value_of


def _product(x, weight, *_bias):
    return [x[0], weight[0]]


def _first_type(first, *_others):
    return first


def _input_gradient(dy, weight):
    return [dy[0], weight[1]]


def _weight_gradients(x, dy):
    """dweight, dbias"""
    return [dy[1], x[1]], [dy[1]]


def _weight_gradient_types(x, dy):
    return x, dy


class RowProduct(nn.Cell):
    """(R, C), (O, C) -> (R, O)."""

    def __init__(self, library: str, name: str = "row_product"):
        super().__init__()
        self.multiply = kernel(library, name, _product, _first_type)
        self.input_gradient = kernel(library, "row_gradient", _input_gradient, _first_type)
        self.weight_gradients = kernel(library, "row_weight_gradient", _weight_gradients, _weight_gradient_types)

    def construct(self, x, weight):
        return self.multiply(x, weight)

    def bprop(self, x, weight, out, dout):
        return self.input_gradient(dout, weight), self.weight_gradients(x, dout)[0]


class RowLinear(RowProduct):
    """(R, C), weight (O, C), bias (O,) -> (R, O)."""

    def __init__(self, library: str):
        super().__init__(library, "biased_row_product")

    def construct(self, x, weight, bias):
        return self.multiply(x, weight, bias)

    def bprop(self, x, weight, bias, out, dout):
        return self.input_gradient(dout, weight), *self.weight_gradients(x, dout)


class OperatorLinear(nn.Cell):
    """`RowLinear` of the framework's operators."""

    def __init__(self):
        super().__init__()
        self.product = ops.MatMul(transpose_b=True)
        self.bias = RowBias()
        self.input_gradient = ops.MatMul()
        self.of_weight = ops.MatMul(transpose_a=True)

    def construct(self, x, weight, bias):
        return self.bias(self.product(x, weight), bias)

    def weight_gradients(self, x, dy):
        return self.of_weight(dy, x), self.bias.sum(dy)

    def bprop(self, x, weight, bias, out, dout):
        return self.input_gradient(dout, weight), *self.weight_gradients(x, dout)


def row_linear(library: str) -> nn.Cell:
    """(R, C), weight (O, C), bias (O,) -> (R, O); its `input_gradient` and `weight_gradients` may be called."""
    return RowLinear(library) if has_wide_products(library) else OperatorLinear()


class KernelRowDense(RowDense):
    """`RowDense` by `RowLinear`."""

    def __init__(self, library: str, in_channels: int, out_channels: int):
        super().__init__(in_channels, out_channels)
        self.function = RowLinear(library)

    def construct(self, x):
        return self.function(x, value_of(self.weight), self.bias)


def linear(library: str, in_channels: int, out_channels: int) -> nn.Dense:
    """`standard.linear` by the faster of both products."""
    if has_wide_products(library):
        return KernelRowDense(library, in_channels, out_channels)
    return RowDense(in_channels, out_channels)
