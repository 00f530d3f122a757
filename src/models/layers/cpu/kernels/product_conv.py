"""Convolution as matrix products of our own, in both directions."""

import numpy as np
from mindspore import Tensor, nn

from .library import kernel
from .weight_gradient import WeightGradient


def _shape(x, weight, steps):
    return [x[0], weight[0], *(-(-size // steps[0]) for size in x[2:])]


def _type(x, _weight, _steps):
    return x


def _gradient_shapes(x, weight, _dy, _steps):
    """dx; space for the weights, turned"""
    return x, weight


def _gradient_types(x, weight, _dy, _steps):
    return x, weight


class ProductConv(nn.Cell):
    """The convolution as a function of both: (B, C, H, W), (O, C / groups, k, k) -> (B, O, H / stride, W / stride).

    For a padding of dilation * (k // 2).
    """

    def __init__(self, library: str, *, stride: int = 1, dilation: int = 1):
        super().__init__()
        self.product = kernel(library, "product_conv", _shape, _type)
        self.input_gradient = kernel(library, "product_conv_gradient", _gradient_shapes, _gradient_types)
        self.weight_gradient = WeightGradient(library, stride=stride, dilation=dilation)
        self.steps = Tensor(np.zeros((stride, dilation), np.int32))  # its shape: kernels are told shapes

    def construct(self, x, weight):
        return self.product(x, weight, self.steps)

    def bprop(self, x, weight, out, dout):
        # Not `dx, _ = ...`: the compiler keeps what a name is given to, also where the network's input has no gradient.
        dx = self.input_gradient(x, weight, dout, self.steps)[0]
        return dx, self.weight_gradient(x, weight, dout)
