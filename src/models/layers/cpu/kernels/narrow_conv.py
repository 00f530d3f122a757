"""3x3 convolution of few channels, whose gradients take the framework twice as long (`benchmarks/README.md`)."""

from mindspore import nn

from ... import standard
from .grouped_conv import KernelConvFunction

FEWEST, MOST = 8, 32  # channels


def narrow_conv(library: str, in_channels: int, out_channels: int, **options) -> nn.Conv2d:
    """`standard.conv` of size 3 and stride 1, without groups and dilation."""
    conv = standard.conv(in_channels, out_channels, 3, **options)
    conv.conv2d = KernelConvFunction(library, "narrow_conv")
    return conv
