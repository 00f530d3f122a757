"""A ResNet with a stem of three convolutions whose last two stages dilate instead of striding: maps of 1/8."""

from mindspore import nn

from ..layers import Bottleneck, LayerContext, ceil_max_pool_after_relu, chain, conv, norm_activation, relu
from .variants import Variant

STRIDES = (1, 2, 1, 1)
# Of the 3x3 convolutions of a stage's blocks, one after the other; block i takes i modulo their number.
DILATIONS = ((1,), (1,), (2,), (4, 8, 16))


class DilatedResNet(nn.Cell):
    """The body: (B, 3, H, W) -> the maps of the last two stages, both of about H / 8 x W / 8."""

    def __init__(self, variant: Variant, context: LayerContext):
        super().__init__()
        base = variant.base_channels
        stem = [
            conv(3, base, 3, stride=2, bias=False, context=context),
            *norm_activation(base, relu, context),
            conv(base, base, 3, bias=False, context=context),
            *norm_activation(base, relu, context),
            conv(base, 2 * base, 3, bias=False, context=context),
        ]
        self.conv1 = chain(stem, context)
        self.bn1, self.act = norm_activation(2 * base, relu, context)
        self.maxpool = ceil_max_pool_after_relu(context)
        self.layer1 = self.stage(variant, 0, context)
        self.layer2 = self.stage(variant, 1, context)
        self.layer3 = self.stage(variant, 2, context)
        self.layer4 = self.stage(variant, 3, context)

    @staticmethod
    def stage(variant: Variant, index: int, context: LayerContext) -> nn.SequentialCell:
        """The blocks of one width; the first of a stage strides."""
        width, out_channels = variant.base_channels * 2**index, variant.stage_channels(index)
        in_channels = variant.stage_channels(index - 1) if index else 2 * variant.base_channels
        dilations = DILATIONS[index]
        blocks = []
        for number in range(variant.num_blocks[index]):
            form = {"stride": STRIDES[index] if number == 0 else 1, "dilation": dilations[number % len(dilations)]}
            blocks.append(Bottleneck(in_channels, width, out_channels, context, **form))
            in_channels = out_channels
        return chain(blocks, context)

    def stages(self, x):
        """(B, 3, H, W) -> (B, 16 C, h, w), (B, 32 C, h, w), C the stem's first width.

        h is about H / 8 + 1: three halvings, the second of which adds a position to an even size. 97 -> 13, 416 -> 53,
        832 -> 105.
        """
        x = self.maxpool(self.act(self.bn1(self.conv1(x))))
        third = self.layer3(self.layer2(self.layer1(x)))
        return third, self.layer4(third)
