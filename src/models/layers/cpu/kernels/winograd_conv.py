"""Wide 3x3 convolution of stride 1 without groups by Winograd's tiles, forward and backward.

They take 16 products for 4 outputs of an input channel, the plain sum 36 (Lavin and Gray, "Fast Algorithms for
Convolutional Neural Networks", 2016, F(2x2, 3x3)). Rounding moves a result by up to four times as much. A number that
is not finite may also reach results that don't depend on it, in the same 2x2.
"""

import numpy as np
from mindspore import Tensor, nn

from .library import kernel
from .turned_weights import turned_weights


def _output_shape(x, weight, _dilation):
    return [x[0], weight[0], *x[2:]]


def _output_type(x, _weight, _dilation):
    return x


def _as_weight(_x, weight, _dy, _dilation):
    return weight


class WinogradConv(nn.Cell):
    """The convolution as a function of both: (B, C, H, W), (O, C, 3, 3) -> (B, O, H, W)."""

    def __init__(self, library: str, dilation: int):
        super().__init__()
        self.conv = kernel(library, "winograd_conv", _output_shape, _output_type)
        self.turned = turned_weights(library)
        self.weight_gradient = kernel(library, "winograd_weight_gradient", _as_weight, _as_weight)
        self.dilation = Tensor(np.zeros(dilation, np.int32))  # its length: kernels are told shapes

    def construct(self, x, weight):
        return self.conv(x, weight, self.dilation)

    def bprop(self, x, weight, out, dout):
        dx = self.conv(dout, self.turned(weight), self.dilation)
        return dx, self.weight_gradient(x, weight, dout, self.dilation)
