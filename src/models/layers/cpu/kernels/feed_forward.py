"""Two linear layers of rows with a GELU between them: in one kernel each way, or each layer as a product.

One kernel keeps the hidden rows in the cache, which takes little more than half the time where rows are many and short.
Either way the backward pass computes them again: kept, they would be the largest part of a network's memory.
"""

from mindspore import nn

from ..rows import RowDense
from .bias import linear_leaving_bias
from .library import has_wide_products, kernel
from .row_products import row_linear
from .values import value_of

MOST_WEIGHTS = 2**17  # of a layer, whose gradients stay in the cache as well


def _out_shape(x, _first_weight, _first_bias, weight, _bias):
    return [x[0], weight[0]]


def _type(x, *_others):
    return x


def _gradients(x, first_weight, first_bias, weight, dy):
    """Of all inputs, the last of which has the shape of a row of dy."""
    return x, first_weight, first_bias, weight, dy[1:]


def _gradient_types(*inputs):
    return inputs


class FeedForwardFunction(nn.Cell):
    """x (R, C), weight (H, C), bias (H,), weight (O, H), bias (O,) -> (R, O)."""

    def __init__(self, library: str, activation: str):
        super().__init__()
        self.forward = kernel(library, f"feed_forward_{activation}", _out_shape, _type)
        self.backward = kernel(library, f"feed_forward_{activation}_backward", _gradients, _gradient_types)

    def construct(self, x, first_weight, first_bias, weight, bias):
        return self.forward(x, first_weight, first_bias, weight, bias)

    def bprop(self, x, first_weight, first_bias, weight, bias, out, dout):
        return self.backward(x, first_weight, first_bias, weight, dout)


class LeftLinear(RowDense):
    """A linear layer that leaves its product to the next one: returns what it would multiply, its weight and bias."""

    def construct(self, x):
        return x, value_of(self.weight), value_of(self.bias)


class FeedForwardLinear(RowDense):
    """A linear layer that takes what a `LeftLinear` returns, and applies both and the activation: -> (R, out).

    activation: "gelu" or "tanh_gelu".
    """

    def __init__(self, library: str, in_channels: int, out_channels: int, activation: str):
        super().__init__(in_channels, out_channels)
        self.function = FeedForwardFunction(library, activation)

    def construct(self, left):
        x, weight, bias = left
        return self.function(x, weight, bias, value_of(self.weight), self.bias)


def _hidden(rows, _bias):
    return rows


def _gelu_gradients(rows, bias, _dhidden):
    """Of rows and bias; and the hidden rows themselves."""
    return rows, bias, rows


class GeluLinearFunction(nn.Cell):
    """A linear layer of gelu(rows + bias), or tanh_gelu: (R, H), (H,), weight (C, H), own bias (C,) -> (R, C)."""

    def __init__(self, library: str, activation: str):
        super().__init__()
        self.forward = kernel(library, f"bias_{activation}", _hidden, _hidden)
        self.backward = kernel(library, f"bias_{activation}_backward", _gelu_gradients, _gelu_gradients)
        self.linear = row_linear(library)

    def construct(self, rows, bias, weight, own_bias):
        return self.linear(self.forward(rows, bias), weight, own_bias)

    def bprop(self, rows, bias, weight, own_bias, out, dout):
        drows, dbias, hidden = self.backward(rows, bias, self.linear.input_gradient(dout, weight))
        return drows, dbias, *self.linear.weight_gradients(hidden, dout)


class GeluLinear(RowDense):
    """A linear layer behind a GELU, for what `linear_leaving_bias` returns: rows (R, in) and bias (in,) -> (R, out).

    activation: "gelu" or "tanh_gelu".
    """

    def __init__(self, library: str, in_channels: int, out_channels: int, activation: str):
        super().__init__(in_channels, out_channels)
        self.function = GeluLinearFunction(library, activation)

    def construct(self, rows_and_bias):
        rows, bias = rows_and_bias
        return self.function(rows, bias, value_of(self.weight), self.bias)


def linear_gelu_linear(
    library: str, in_channels: int, hidden_channels: int, out_channels: int, activation: str
) -> tuple[nn.Cell, nn.Cell, nn.Cell]:
    """See `formulations.linear_activation_linear`."""
    if has_wide_products(library) and max(in_channels, out_channels) * hidden_channels <= MOST_WEIGHTS:
        first = LeftLinear(in_channels, hidden_channels)
        return first, nn.Identity(), FeedForwardLinear(library, hidden_channels, out_channels, activation)
    first = linear_leaving_bias(library, in_channels, hidden_channels)
    return first, nn.Identity(), GeluLinear(library, hidden_channels, out_channels, activation)
