"""DGCNet: a dilated ResNet and a head that reasons on two graphs, for semantic segmentation.

Zhang, Li, Arnab, Yang, Tong, Torr, "Dual Graph Convolutional Network for Semantic Segmentation", BMVC 2019
(arXiv 1909.06121).
"""

from mindspore import nn, ops

from ..family import NetworkSpec
from ..layers import (
    LayerContext,
    batch_norm,
    bilinear_resize,
    chain,
    channel_dropout,
    conv,
    conv_norm,
    initialize,
    kaiming_normal,
    norm_activation,
    relu,
)
from .backbone import DilatedResNet
from .graphs import DualGCN
from .variants import VARIANTS, Variant

RATIO = 4  # channels over nodes of the feature-space graph


class DualGraphHead(nn.Cell):
    """(B, C, h, w) -> (B, class_num, h, w): narrow, reason on both graphs, classify beside the input."""

    def __init__(self, in_channels: int, channels: int, class_num: int, context: LayerContext):
        super().__init__()
        self.conva = conv_norm(in_channels, channels, 3, bias=False, context=context)
        self.dualgcn = DualGCN(channels, RATIO, context)
        self.convb = conv_norm(channels, channels, 3, bias=False, context=context)
        bottleneck = [
            conv(in_channels + channels, channels, 3, bias=False, context=context),
            *norm_activation(channels, relu, context),
            conv(channels, class_num, bias=True, context=context),
        ]
        self.bottleneck = chain(bottleneck, context)

    def construct(self, x):
        y = self.dualgcn(ops.relu(self.conva(x)))
        y = ops.relu(self.convb(y))
        return self.bottleneck(ops.cat((x, y), 1))


class DGCNet(DilatedResNet):
    """Segmentation network for images of any height and width: (B, 3, H, W) -> logits (B, class_num, H, W).

    In training it returns (logits, auxiliary logits), both of that shape.
    """

    def __init__(self, variant: Variant, class_num: int, context: LayerContext, drop_rate: float):
        super().__init__(variant, context)
        channels = variant.head_channels
        self.head = DualGraphHead(variant.stage_channels(3), channels, class_num, context)
        auxiliary_head = [
            conv(variant.stage_channels(2), channels, 3, bias=True, normed=True, context=context),
            batch_norm(channels, context, biased=True),
            channel_dropout(drop_rate),
            conv(channels, class_num, bias=True, context=context),
        ]
        self.dsn = chain(auxiliary_head, context)
        self.resize = bilinear_resize(context)

    def features(self, x):
        """(B, 3, H, W) -> (B, 32 C, h, w): the map that the head sees."""
        return self.stages(x)[1]

    def maps(self, x):
        """Like construct, at the network's own resolution: (B, class_num, h, w), h about H / 8."""
        third, last = self.stages(x)
        if self.training:
            return self.head(last), self.dsn(third)
        return self.head(last)

    def construct(self, x):
        size = x.shape[2:]
        if self.training:
            logits, auxiliary = self.maps(x)
            return self.resize(logits, size), self.resize(auxiliary, size)
        return self.resize(self.maps(x), size)


def build(spec: NetworkSpec, *, drop_rate: float = 0.1, batch_statistics: bool = False) -> DGCNet:
    """The named variant with fresh weights: Kaiming normal convolutions, classifiers uniform in their fan in.

    drop_rate: channel dropout of the auxiliary head, in training.
    batch_statistics: BatchNorm uses the batch at hand in evaluation too, as the seed's code did; an image's result then
    depends on the others in its batch. For the seed's checkpoints.
    """
    if spec.image_size < 8:
        spec.refuse_size("8 and more")
    network = DGCNet(VARIANTS[spec.name], spec.class_num, spec.context, drop_rate)
    if batch_statistics:
        for _, cell in network.cells_and_names():
            if isinstance(cell, nn.BatchNorm2d):
                cell.use_batch_statistics = True
    initialize(network, spec.seed, _initial_values)
    return network


def _initial_values(name, shape, generator):
    if len(shape) != 4:
        return None
    if name in ("head.bottleneck.3.weight", "dsn.3.weight"):
        bound = shape[1] ** -0.5
        return generator.uniform(-bound, bound, shape)
    return kaiming_normal(shape, generator)
