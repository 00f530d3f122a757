"""1x1 convolution as matrix products of our own: all of them, or those that take the framework longer.

On processors whose wide registers the framework leaves half empty, ours are up to twice as fast. Elsewhere the
framework's weight gradient takes much memory where the channels are many; its gradient of the input up to twice the
time of the forward pass where, besides, the maps are small; its forward pass up to 1.4 times the time of ours on the
smallest maps.
"""

from mindspore import nn, ops
from mindspore.ops.operations import Conv2DBackpropInput

from .function_conv import function_conv
from .library import has_wide_products
from .product_conv import ProductConv

MANY = 256  # channels, of whose multiples the framework's weight gradient takes much memory, and no less time
WIDE = 512  # channels
SMALL_MAP = 16 * 16  # positions
SMALLEST_MAP = 8 * 8


class MixedPointwiseConv(ProductConv):
    """The convolution of size 1 without groups, with the framework's operators where these are as fast."""

    def __init__(self, library: str, in_channels: int, out_channels: int, stride: int):
        super().__init__(library, stride=stride)
        self.framework_conv = ops.Conv2D(out_channels, 1, stride=stride)
        self.framework_gradient = Conv2DBackpropInput(out_channels, 1, pad_mode="valid", stride=stride)
        self.is_wide = in_channels % WIDE == 0

    def construct(self, x, weight):
        if x.shape[2] * x.shape[3] > SMALLEST_MAP * self.steps.shape[0] ** 2:
            return self.framework_conv(x, weight)
        return super().construct(x, weight)

    def bprop(self, x, weight, out, dout):
        dweight = self.weight_gradient(x, weight, dout)
        if not self.is_wide or dout.shape[2] * dout.shape[3] > SMALL_MAP:
            return self.framework_gradient(dout, weight, x.shape), dweight
        return self.input_gradient(x, weight, dout, self.steps)[0], dweight


def pointwise_conv(library: str, in_channels: int, out_channels: int, **options) -> nn.Cell:
    """`standard.conv` of size 1, by kernels as far as they are faster on this processor."""
    conv = function_conv(in_channels, out_channels, 1, **options)
    stride = options["stride"]
    if has_wide_products(library):
        conv.conv2d = ProductConv(library, stride=stride)
    elif options["groups"] == 1 and in_channels % MANY == 0:
        conv.conv2d = MixedPointwiseConv(library, in_channels, out_channels, stride)
    return conv
