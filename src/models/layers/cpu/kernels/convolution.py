"""Convolutions by the kernel of their kind."""

from mindspore import nn

from .. import convolution
from .grouped_conv import KernelGroupedConv
from .narrow_conv import FEWEST, MOST, narrow_conv
from .pointwise_conv import WIDE, pointwise_conv

STEP = 4  # channels of a 3x3 group that are computed together
MOST_CHANNELS = 64  # of a 3x3 group; for wider ones the framework's matrix products are as fast


def conv(library: str, in_channels: int, out_channels: int, size: int, **options) -> nn.Cell:
    """`standard.conv` by a kernel where there is one for it, else as elsewhere on the CPU."""
    groups = options["groups"]
    if size == 1 and groups == 1 and in_channels % WIDE == 0:
        return pointwise_conv(library, in_channels, out_channels, **options)
    dense = size == 3 and groups == options["stride"] == options["dilation"] == 1
    if dense and all(FEWEST <= width <= MOST for width in (in_channels, out_channels)):
        return narrow_conv(library, in_channels, out_channels, **options)
    widths = (in_channels // groups, out_channels // groups)
    plain = size == 3 and options["stride"] == options["dilation"] == 1 and not options["bias"]
    if plain and groups > 1 and all(width % STEP == 0 and width <= MOST_CHANNELS for width in widths):
        return KernelGroupedConv(library, in_channels, out_channels, groups)
    return convolution.conv(in_channels, out_channels, size, **options)
