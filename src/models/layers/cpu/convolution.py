"""Grouped 3x3 convolution of stride 1 with a backward pass of its own, for groups of few channels on the CPU.

On some processors the framework's kernels for these gradients fall back to reference loops (8 x 128 x 56 x 56 in 32
groups: 590 ms backward, this one 110 ms); on others the two are level. From 16 channels a group on there is no gain.
"""

import mindspore as ms
from mindspore import Parameter, Tensor, nn, ops

from .. import standard


class GroupedConvFunction(nn.Cell):
    """The convolution, padding 1, as a function of both: (B, C, H, W), (O, C / g, 3, 3) -> (B, O, H, W)."""

    def __init__(self, in_channels: int, out_channels: int, groups: int):
        super().__init__()
        self.shape = (groups, out_channels // groups, in_channels // groups)
        self.conv = ops.Conv2D(out_channels, 3, pad_mode="pad", pad=1, group=groups)
        self.conv_back = ops.Conv2D(in_channels, 3, pad_mode="pad", pad=1, group=groups)
        self.contract = ops.BatchMatMul(transpose_b=True)

    def construct(self, x, weight):
        return self.conv(x, weight)

    def bprop(self, x, weight, out, dout):
        dout = dout.astype(x.dtype)  # under mixed precision PyNative hands over x as it was before its cast
        return self.input_gradient(weight, dout), self.weight_gradient(x, weight, dout)

    def input_gradient(self, weight, dout):
        """The same grouped convolution of dout, with the kernel turned by 180 degrees."""
        groups, num_out, num_in = self.shape
        turned = weight.reshape((groups, num_out, num_in, 3, 3)).transpose((0, 2, 1, 3, 4)).flip((3, 4))
        return self.conv_back(dout, turned.reshape((groups * num_in, num_out, 3, 3)))

    def weight_gradient(self, x, weight, dout):
        """A matrix product of dout with the unfolded input for each image and group, then the sum over the images."""
        groups, num_out, num_in = self.shape
        patches = ops.unfold(x, 3, padding=1).reshape((x.shape[0], groups, num_in * 9, -1))
        dout = dout.reshape((x.shape[0], groups, num_out, -1))  # (B, g, O / g, L)
        gradient = self.contract(dout, patches).sum(0).reshape(weight.shape)
        return gradient.astype(ms.float32)  # like every other gradient under mixed precision


class GroupedConv(nn.Cell):
    """(B, C, H, W) -> (B, out_channels, H, W); holds the weight (out, in / groups, 3, 3), no bias."""

    def __init__(self, in_channels: int, out_channels: int, groups: int):
        super().__init__()
        zeros = ops.zeros((out_channels, in_channels // groups, 3, 3), ms.float32)
        self.weight = Parameter(Tensor(zeros), name="weight")
        self.function = GroupedConvFunction(in_channels, out_channels, groups)

    def construct(self, x):
        return self.function(x, self.weight)


def conv(
    in_channels: int, out_channels: int, kernel: int, *, stride: int, dilation: int, groups: int, bias: bool
) -> nn.Cell:
    """`standard.conv`, or GroupedConv where that is faster."""
    narrow_groups = groups > 1 and 1 < in_channels // groups < 16  # of one channel, depthwise: the operator is fast
    if narrow_groups and kernel == 3 and stride == dilation == 1 and not bias:
        return GroupedConv(in_channels, out_channels, groups)
    return standard.conv(in_channels, out_channels, kernel, stride=stride, dilation=dilation, groups=groups, bias=bias)
