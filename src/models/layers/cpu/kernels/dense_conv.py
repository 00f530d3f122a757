"""3x3 convolution of stride 1 without groups, whose gradients need no memory of their own."""

from mindspore import nn, ops

from ... import standard
from .turned_weights import turned_weights
from .weight_gradient import WeightGradient
from .winograd_conv import WinogradConv

SIZE = 3
WIDE = 64  # channels, from which on Winograd's tiles are faster


class DenseConv(nn.Cell):
    """The convolution as a function of both: (B, C, H, W), (O, C, 3, 3) -> (B, O, H, W)."""

    def __init__(self, library: str, in_channels: int, out_channels: int, dilation: int):
        super().__init__()
        form = {"pad_mode": "pad", "pad": dilation, "dilation": dilation}
        self.conv = ops.Conv2D(out_channels, SIZE, **form)
        self.conv_back = ops.Conv2D(in_channels, SIZE, **form)
        self.turned = turned_weights(library)
        self.weight_gradient = WeightGradient(library, dilation=dilation)

    def construct(self, x, weight):
        return self.conv(x, weight)

    def bprop(self, x, weight, out, dout):
        return self.conv_back(dout, self.turned(weight)), self.weight_gradient(x, weight, dout)


def dense_conv(library: str, in_channels: int, out_channels: int, *, dilation: int, **options) -> nn.Conv2d:
    """`standard.conv` of size 3 and stride 1 without groups."""
    conv = standard.conv(in_channels, out_channels, SIZE, dilation=dilation, **options)
    if min(in_channels, out_channels) >= WIDE:
        conv.conv2d = WinogradConv(library, dilation)
    else:
        conv.conv2d = DenseConv(library, in_channels, out_channels, dilation)
    return conv
