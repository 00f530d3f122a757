"""Convolutions by the kernel of their kind."""

from mindspore import nn

from .. import convolution
from .bias import BiasLeft
from .dense_conv import dense_conv
from .grouped_conv import STEP, STRIDES, KernelGroupedConv
from .pointwise_conv import pointwise_conv

MOST_CHANNELS = 64  # of a 3x3 group; for wider ones the framework's matrix products are as fast


def conv(library: str, in_channels: int, out_channels: int, size: int, **options) -> nn.Cell:
    """`standard.conv` by a kernel where there is one for it, else as elsewhere on the CPU."""
    groups, stride, dilation = (options[name] for name in ("groups", "stride", "dilation"))
    if size == 1:
        return pointwise_conv(library, in_channels, out_channels, **options)
    if groups == 1:
        return dense_conv(library, in_channels, out_channels, size, **options)
    widths = (in_channels // groups, out_channels // groups)
    plain = size == 3 and stride in STRIDES and dilation == 1 and not options["bias"]
    if plain and all(width % STEP == 0 and width <= MOST_CHANNELS for width in widths):
        return KernelGroupedConv(library, in_channels, out_channels, groups, stride)
    return convolution.conv(in_channels, out_channels, size, **options)


def normed_conv(library: str, in_channels: int, out_channels: int, size: int, **options) -> nn.Cell:
    """`conv` in front of a KernelBatchNorm; with a bias it returns a pair, and no pass over the map adds the bias."""
    layer = conv(library, in_channels, out_channels, size, **options)
    if options["bias"]:
        layer.bias_add = BiasLeft()
    return layer
