"""Grouped 3x3 convolution of stride 1 or 2, the groups being computed one by one in a layout of their own."""

from mindspore import Parameter, nn, ops
from mindspore import dtype as mstype

from .library import kernel
from .values import value_of

STEP = 4  # channels of a group that are computed together
STRIDES = {1: "grouped_conv", 2: "grouped_conv_of_stride_2"}  # and their kernels


def _shape(x, weight):
    return [x[0], weight[0], *x[2:]]


def _half_shape(x, weight):
    return [x[0], weight[0], *((size + 1) // 2 for size in x[2:])]


def _type(x, _weight):
    return x


def _gradients(x, weight, _dout):
    """dx, dweight"""
    return x, weight


class KernelConvFunction(nn.Cell):
    """The convolution, padding 1, as a function of both: (B, C, H, W), (O, C / g, 3, 3) -> (B, O, H / s, W / s).

    name: of the kernel, which is for this stride s.
    """

    def __init__(self, library: str, name: str, stride: int = 1):
        super().__init__()
        self.forward = kernel(library, name, _shape if stride == 1 else _half_shape, _type)
        self.backward = kernel(library, f"{name}_backward", _gradients, _gradients)

    def construct(self, x, weight):
        return self.forward(x, weight)

    def bprop(self, x, weight, out, dout):
        return self.backward(x, weight, dout)


class KernelGroupedConv(nn.Cell):
    """(B, C, H, W) -> (B, out_channels, H / stride, W / stride); holds the weight (out, in / groups, 3, 3), no bias."""

    def __init__(self, library: str, in_channels: int, out_channels: int, groups: int, stride: int):
        super().__init__()
        self.weight = Parameter(ops.zeros((out_channels, in_channels // groups, 3, 3), mstype.float32), name="weight")
        self.function = KernelConvFunction(library, STRIDES[stride], stride)

    def construct(self, x):
        return self.function(x, value_of(self.weight))
