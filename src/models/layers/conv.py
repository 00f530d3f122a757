"""Convolutions as the networks write them: symmetric padding, zeros until the keyed initialisation fills them."""

from mindspore import nn

from .batch_norm import batch_norm
from .context import LayerContext
from .grouped_conv import GroupedConv


def conv(
    in_channels: int,
    out_channels: int,
    kernel: int = 1,
    *,
    stride: int = 1,
    dilation: int = 1,
    groups: int = 1,
    bias: bool,
    context: LayerContext,
) -> nn.Cell:
    """Convolution with padding dilation * (kernel // 2); weight (out, in / groups, kernel, kernel)."""
    narrow_groups = groups > 1 and 1 < in_channels // groups < 16  # of one channel, depthwise: the operator is fast
    if context.cpu_kernels and narrow_groups and kernel == 3 and stride == dilation == 1 and not bias:
        return GroupedConv(in_channels, out_channels, groups)
    return nn.Conv2d(
        in_channels,
        out_channels,
        kernel,
        stride,
        pad_mode="pad",
        padding=dilation * (kernel // 2),
        dilation=dilation,
        group=groups,
        has_bias=bias,
        weight_init="zeros",
        bias_init="zeros",
    )


def conv_norm(
    in_channels: int, out_channels: int, kernel: int = 1, *, context: LayerContext, **options
) -> nn.SequentialCell:
    """[convolution, BatchNorm]; options as for `conv`."""
    return nn.SequentialCell(
        conv(in_channels, out_channels, kernel, context=context, **options), batch_norm(out_channels, context)
    )
