"""Convolutional blocks that several networks share, each convolution followed by its BatchNorm."""

from collections.abc import Sequence

from mindspore import nn, ops

from .batch_norm import Activation, batch_norm, norm_activation, shortcut_norm
from .chain import chain
from .dropout import drop_path
from .formulations import LayerContext, conv


def conv_norm(
    in_channels: int, out_channels: int, kernel: int = 1, *, bias: bool, context: LayerContext, **options
) -> nn.SequentialCell:
    """[convolution, BatchNorm]; options as for `conv`."""
    cells = [
        conv(in_channels, out_channels, kernel, bias=bias, normed=True, context=context, **options),
        batch_norm(out_channels, context, biased=bias),
    ]
    return chain(cells, context)


def relu(_context: LayerContext) -> nn.Cell:
    """ReLU, element by element."""
    return nn.ReLU()


class ConvStem(nn.Cell):
    """Three 3x3 convolutions: (B, 3, H, W) -> (B, C, H / stride, W / stride).

    widths: channels after each; stride: 2 or 4, of which the last convolution has 2.
    """

    def __init__(
        self, widths: Sequence[int], stride: int, activation: Activation, context: LayerContext, *, bias: bool
    ):
        super().__init__()
        first, second, third = widths
        common = {"bias": bias, "normed": True, "context": context}
        self.conv1 = conv(3, first, 3, stride=stride // 2, **common)
        self.norm1, self.act1 = norm_activation(first, activation, context, biased=bias)
        self.conv2 = conv(first, second, 3, **common)
        self.norm2, self.act2 = norm_activation(second, activation, context, biased=bias)
        self.conv3 = conv(second, third, 3, stride=2, **common)
        self.norm3, self.act3 = norm_activation(third, activation, context, biased=bias)

    def construct(self, x):
        x = self.act1(self.norm1(self.conv1(x)))
        x = self.act2(self.norm2(self.conv2(x)))
        return self.act3(self.norm3(self.conv3(x)))


class Downsample(nn.Cell):
    """A 3x3 convolution of stride 2: (B, C, H, W) -> (B, out_channels, H / 2, W / 2)."""

    def __init__(
        self, in_channels: int, out_channels: int, activation: Activation, context: LayerContext, *, bias: bool
    ):
        super().__init__()
        self.conv = conv(in_channels, out_channels, 3, stride=2, bias=bias, normed=True, context=context)
        self.norm, self.act = norm_activation(out_channels, activation, context, biased=bias)

    def construct(self, x):
        return self.act(self.norm(self.conv(x)))


class Bottleneck(nn.Cell):
    """relu(shortcut + conv1x1(relu(conv3x3(relu(conv1x1(x)))))): (B, C, H, W) -> (B, out_channels, H / stride, ...).

    width: channels of the 3x3 convolution, which has the stride, dilation and groups.
    """

    def __init__(
        self,
        in_channels: int,
        width: int,
        out_channels: int,
        context: LayerContext,
        *,
        stride: int = 1,
        dilation: int = 1,
        groups: int = 1,
        drop_path_rate: float = 0.0,
    ):
        super().__init__()
        self.conv1 = conv(in_channels, width, bias=False, context=context)
        self.bn1, self.act1 = norm_activation(width, relu, context)
        middle = {"stride": stride, "dilation": dilation, "groups": groups}
        self.conv2 = conv(width, width, 3, bias=False, context=context, **middle)
        self.bn2, self.act2 = norm_activation(width, relu, context)
        self.conv3 = conv(width, out_channels, bias=False, context=context)
        self.adds_shortcut = context.joins_norms and drop_path_rate == 0
        self.bn3 = shortcut_norm(out_channels, context) if self.adds_shortcut else batch_norm(out_channels, context)
        self.drop_path = drop_path(drop_path_rate)
        self.downsample = nn.Identity()
        if stride > 1 or in_channels != out_channels:
            self.downsample = conv_norm(in_channels, out_channels, stride=stride, bias=False, context=context)

    def construct(self, x):
        y = self.act1(self.bn1(self.conv1(x)))
        y = self.conv3(self.act2(self.bn2(self.conv2(y))))
        if self.adds_shortcut:
            return self.bn3(y, self.downsample(x))
        return ops.relu(self.downsample(x) + self.drop_path(self.bn3(y)))
