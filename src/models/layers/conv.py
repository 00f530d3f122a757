"""A convolution followed by its BatchNorm, as most cells of the networks begin."""

from mindspore import nn

from .batch_norm import batch_norm
from .formulations import LayerContext, conv


def conv_norm(
    in_channels: int, out_channels: int, kernel: int = 1, *, context: LayerContext, **options
) -> nn.SequentialCell:
    """[convolution, BatchNorm]; options as for `conv`."""
    return nn.SequentialCell(
        conv(in_channels, out_channels, kernel, context=context, **options), batch_norm(out_channels, context)
    )
