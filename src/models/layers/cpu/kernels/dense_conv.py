"""3x3 convolution of stride 1 without groups, whose gradients need no memory of their own."""

from mindspore import nn, ops

from ... import standard
from .library import kernel
from .weight_gradient import WeightGradient

SIZE = 3


def _turned_shape(weight):
    return [weight[1], weight[0], *weight[2:]]


def _same_type(weight):
    return weight


class DenseConv(nn.Cell):
    """The convolution as a function of both: (B, C, H, W), (O, C, 3, 3) -> (B, O, H, W)."""

    def __init__(self, library: str, in_channels: int, out_channels: int, dilation: int):
        super().__init__()
        form = {"pad_mode": "pad", "pad": dilation, "dilation": dilation}
        self.conv = ops.Conv2D(out_channels, SIZE, **form)
        self.conv_back = ops.Conv2D(in_channels, SIZE, **form)
        self.turned = kernel(library, "turned_weights", _turned_shape, _same_type)
        self.weight_gradient = WeightGradient(library, dilation=dilation)

    def construct(self, x, weight):
        return self.conv(x, weight)

    def bprop(self, x, weight, out, dout):
        return self.conv_back(dout, self.turned(weight)), self.weight_gradient(x, weight, dout)


def dense_conv(library: str, in_channels: int, out_channels: int, *, dilation: int, **options) -> nn.Conv2d:
    """`standard.conv` of size 3 and stride 1 without groups."""
    conv = standard.conv(in_channels, out_channels, SIZE, dilation=dilation, **options)
    conv.conv2d = DenseConv(library, in_channels, out_channels, dilation)
    return conv
