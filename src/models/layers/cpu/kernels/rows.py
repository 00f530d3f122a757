"""Row-wise layers in one kernel each way: LayerNorm, and a bias with the GELU after it, between two linear layers."""

import numpy as np
from mindspore import Tensor, nn

from ..rows import RowDense
from .bias import linear_leaving_bias
from .library import kernel
from .row_products import row_linear


def _hidden(rows, _bias):
    return rows


def _gradients(rows, bias, _dhidden):
    """Of rows and bias; and the hidden rows themselves."""
    return rows, bias, rows


class GeluLinearFunction(nn.Cell):
    """A linear layer of gelu(rows + bias), or tanh_gelu: (R, H), (H,), weight (C, H), own bias (C,) -> (R, C).

    The backward pass computes the hidden rows again: kept, they would be the largest part of a network's memory.
    """

    def __init__(self, library: str, activation: str):
        super().__init__()
        self.forward = kernel(library, f"bias_{activation}", _hidden, _hidden)
        self.backward = kernel(library, f"bias_{activation}_backward", _gradients, _gradients)
        self.linear = row_linear(library)

    def construct(self, rows, bias, weight, own_bias):
        return self.linear(self.forward(rows, bias), weight, own_bias)

    def bprop(self, rows, bias, weight, own_bias, out, dout):
        drows, dbias, hidden = self.backward(rows, bias, self.linear.input_gradient(dout, weight))
        return drows, dbias, *self.linear.weight_gradients(hidden, dout)


class GeluLinear(RowDense):
    """A linear layer behind a GELU, for what `BiasLeft` returns: a pair (rows (R, in), bias (in,)) -> (R, out).

    activation: "gelu" or "tanh_gelu".
    """

    def __init__(self, library: str, in_channels: int, out_channels: int, activation: str):
        super().__init__(in_channels, out_channels)
        self.function = GeluLinearFunction(library, activation)

    def construct(self, rows_and_bias):
        rows, bias = rows_and_bias
        return self.function(rows, bias, self.weight, self.bias)


def linear_gelu_linear(
    library: str, in_channels: int, hidden_channels: int, out_channels: int, activation: str
) -> tuple[nn.Cell, nn.Cell, nn.Cell]:
    """See `formulations.linear_activation_linear`."""
    first = linear_leaving_bias(library, in_channels, hidden_channels)
    return first, nn.Identity(), GeluLinear(library, hidden_channels, out_channels, activation)


def _norm_shapes(x, *_others):
    """y; mean and 1 / deviation of each row."""
    return x, x[:-1], x[:-1]


def _norm_types(x, *_others):
    return x, x, x


def _norm_gradients(x, gamma, *_others):
    """dx, dgamma, dbeta"""
    return x, gamma, gamma


class LayerNormFunction(nn.Cell):
    """x (..., C), gamma (C,), beta (C,) -> y (..., C), and what is kept: mean, 1 / deviation (...)."""

    def __init__(self, library: str, epsilon: float):
        super().__init__()
        self.forward = kernel(library, "layer_norm", _norm_shapes, _norm_types)
        self.backward = kernel(library, "layer_norm_backward", _norm_gradients, _norm_gradients)
        self.least_variance = Tensor(np.array([epsilon], np.float32))

    def construct(self, x, gamma, beta):
        return self.forward(x, gamma, beta, self.least_variance)

    def bprop(self, x, gamma, beta, out, dout):
        return self.backward(x, gamma, out[1], out[2], dout[0])


class KernelLayerNorm(nn.LayerNorm):
    """nn.LayerNorm over the last axis, (..., C) -> the same shape."""

    def __init__(self, library: str, channels: int, epsilon: float):
        super().__init__((channels,), epsilon=epsilon)
        self.function = LayerNormFunction(library, epsilon)

    def construct(self, x):
        return self.function(x, self.gamma, self.beta)[0]
