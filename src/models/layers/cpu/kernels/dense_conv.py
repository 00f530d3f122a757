"""Convolutions without groups, of a size above 1: which function computes one, and that for lack of a faster.

The framework's gradients keep working memory for each layer, and take it twice as long where channels are few. On
processors whose wide registers it leaves half empty only those of even sizes are left to it.
"""

from mindspore import nn, ops

from .function_conv import function_conv
from .grouped_conv import STEP, KernelConvFunction
from .library import has_wide_products
from .product_conv import ProductConv
from .turned_weights import turned_weights
from .weight_gradient import WeightGradient
from .winograd_conv import WinogradConv

SIZE = 3  # of all that are not products
WIDE = 64  # channels, from which on Winograd's tiles are faster
FEW = range(8, 33)  # channels


class DenseConv(nn.Cell):
    """The convolution of size 3 and stride 1 as a function of both: (B, C, H, W), (O, C, 3, 3) -> (B, O, H, W).

    Forward it is the framework's.
    """

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


def dense_conv(
    library: str, in_channels: int, out_channels: int, size: int, *, stride: int, dilation: int, **options
) -> nn.Conv2d:
    """`standard.conv` without groups, by the kernel that is fastest for it on this processor, if there is one."""
    conv = function_conv(in_channels, out_channels, size, stride=stride, dilation=dilation, **options)
    widths = (in_channels, out_channels)
    is_plain = size == SIZE and stride == 1
    if is_plain and min(widths) >= WIDE:
        conv.conv2d = WinogradConv(library, dilation)
    elif has_wide_products(library):
        is_narrow = max(widths) <= WIDE and all(width % STEP == 0 for width in widths)
        if is_plain and dilation == 1 and is_narrow:
            conv.conv2d = KernelConvFunction(library, "grouped_conv")  # of a single group
        elif size % 2:  # an even one makes its map larger
            conv.conv2d = ProductConv(library, stride=stride, dilation=dilation)
    elif is_plain and dilation == 1 and all(width in FEW for width in widths):
        conv.conv2d = KernelConvFunction(library, "narrow_conv")
    elif is_plain:
        conv.conv2d = DenseConv(library, in_channels, out_channels, dilation)
    return conv
