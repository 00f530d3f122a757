"""3x3 convolution of few channels, whose gradients take the framework twice as long (`benchmarks/README.md`).

Where products of 16 numbers at a time are fast it is a grouped convolution of a single group, in half the time.
"""

from mindspore import nn

from ... import standard
from .grouped_conv import STEP, KernelConvFunction
from .library import has_wide_products

FEWEST, MOST = 8, 32  # channels


def narrow_conv(library: str, in_channels: int, out_channels: int, **options) -> nn.Conv2d:
    """`standard.conv` of size 3 and stride 1, without groups and dilation."""
    conv = standard.conv(in_channels, out_channels, 3, **options)
    is_one_group = has_wide_products(library) and in_channels % STEP == out_channels % STEP == 0
    conv.conv2d = KernelConvFunction(library, "grouped_conv" if is_one_group else "narrow_conv")
    return conv
