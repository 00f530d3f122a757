"""Grouped 3x3 convolution of stride 1, the groups being computed one by one in a layout of their own."""

from mindspore import Parameter, nn, ops
from mindspore import dtype as mstype

from .library import kernel


def _shape(x, weight):
    return [x[0], weight[0], *x[2:]]


def _type(x, _weight):
    return x


def _gradients(x, weight, _dout):
    """dx, dweight"""
    return x, weight


class KernelConvFunction(nn.Cell):
    """The convolution, padding 1, as a function of both: (B, C, H, W), (O, C / g, 3, 3) -> (B, O, H, W).

    name: of the kernel, "grouped_conv" or "narrow_conv".
    """

    def __init__(self, library: str, name: str):
        super().__init__()
        self.forward = kernel(library, name, _shape, _type)
        self.backward = kernel(library, f"{name}_backward", _gradients, _gradients)

    def construct(self, x, weight):
        return self.forward(x, weight)

    def bprop(self, x, weight, out, dout):
        return self.backward(x, weight, dout)


class KernelGroupedConv(nn.Cell):
    """(B, C, H, W) -> (B, out_channels, H, W); holds the weight (out, in / groups, 3, 3), no bias."""

    def __init__(self, library: str, in_channels: int, out_channels: int, groups: int):
        super().__init__()
        self.weight = Parameter(ops.zeros((out_channels, in_channels // groups, 3, 3), mstype.float32), name="weight")
        self.function = KernelConvFunction(library, "grouped_conv")

    def construct(self, x):
        return self.function(x, self.weight)
