"""ResNeXt: residual bottlenecks whose 3x3 convolution works in many narrow groups.

Xie, Girshick, Dollar, Tu, He, "Aggregated Residual Transformations for Deep Neural Networks", 2016 (arXiv 1611.05431).
"""

from collections.abc import Iterator

from mindspore import nn

from ..family import NetworkSpec
from ..layers import (
    Bottleneck,
    LayerContext,
    chain,
    conv,
    dropout,
    global_average,
    initialize,
    kaiming_normal,
    max_pool_after_relu,
    norm_activation,
    relu,
)
from .variants import VARIANTS, Variant

EXPANSION = 4


class ResNeXt(nn.Cell):
    """Classifier: (B, 3, S, S) -> (B, class_num).

    feature_channels and feature_strides (pixels a position along one side) describe `feature_maps`.
    """

    HEAD_CELLS = ("dropout", "fc")

    def __init__(self, variant: Variant, spec: NetworkSpec, *, drop_path_rate: float, drop_rate: float, stem_pool: str):
        super().__init__()
        context = spec.context
        base = variant.base_channels
        if variant.stem_stride == 4:
            self.conv1 = conv(3, base, 7, stride=2, bias=False, context=context)
            self.maxpool = max_pool_after_relu(stem_pool, context)
        else:
            self.conv1 = conv(3, base, 3, bias=False, context=context)
            self.maxpool = nn.Identity()
        self.bn1, self.act = norm_activation(base, relu, context)
        num_blocks = sum(variant.num_blocks)
        rates = iter([drop_path_rate * index / max(num_blocks - 1, 1) for index in range(num_blocks)])
        self.layer1 = self.stage(variant, 0, rates, context)
        self.layer2 = self.stage(variant, 1, rates, context)
        self.layer3 = self.stage(variant, 2, rates, context)
        self.layer4 = self.stage(variant, 3, rates, context)
        self.dropout = dropout(drop_rate)
        self.feature_channels = tuple(EXPANSION * base << stage for stage in range(4))
        self.feature_strides = tuple(variant.stem_stride << stage for stage in range(4))
        self.fc = nn.Dense(self.feature_channels[-1], spec.class_num, weight_init="zeros", bias_init="zeros")

    @staticmethod
    def stage(variant: Variant, index: int, rates: Iterator[float], context: LayerContext) -> nn.SequentialCell:
        """Blocks of one resolution; all stages but the first halve the map in their first block."""
        base = variant.base_channels
        planes = base * 2**index
        width, out_channels = variant.groups * variant.group_width * planes // base, EXPANSION * planes
        in_channels = base if index == 0 else out_channels // 2
        blocks = []
        for number in range(variant.num_blocks[index]):
            form = {"stride": 2 if index > 0 and number == 0 else 1, "groups": variant.groups}
            blocks.append(Bottleneck(in_channels, width, out_channels, context, drop_path_rate=next(rates), **form))
            in_channels = out_channels
        return chain(blocks, context)

    def stem(self, x):
        """(B, 3, S, S) -> (B, C, S / stem_stride, S / stem_stride)."""
        return self.maxpool(self.act(self.bn1(self.conv1(x))))

    def features(self, x):
        """(B, 3, S, S) -> (B, 32 C): the average over the last map."""
        return global_average(self.feature_maps(x)[3])

    def feature_maps(self, x):
        """(B, 3, S, S) -> each stage's last map, (B, C, H, W), the finest first."""
        first = self.layer1(self.stem(x))
        second = self.layer2(first)
        third = self.layer3(second)
        return first, second, third, self.layer4(third)

    def construct(self, x):
        return self.fc(self.dropout(self.features(x)))


def build(
    spec: NetworkSpec, *, drop_path_rate: float = 0.0, drop_rate: float = 0.0, stem_pool: str | None = None
) -> ResNeXt:
    """The named variant with fresh weights: Kaiming normal (fan out) convolutions, a classifier uniform in its fan in.

    stem_pool: border of the stem's max-pool, "same" or "pad"; None is the variant's own.
    """
    variant = VARIANTS[spec.name]
    smallest = 8 * variant.stem_stride
    if spec.image_size < smallest:
        spec.refuse_size(f"{smallest} and more")
    stem_pool = stem_pool or variant.stem_pool
    network = ResNeXt(variant, spec, drop_path_rate=drop_path_rate, drop_rate=drop_rate, stem_pool=stem_pool)
    bound = network.fc.in_channels**-0.5

    def rule(parameter_name, shape, generator):
        if parameter_name.startswith("fc."):
            return generator.uniform(-bound, bound, shape)
        return kaiming_normal(shape, generator, fan_out=True) if len(shape) == 4 else None

    initialize(network, spec.seed, rule)
    return network
