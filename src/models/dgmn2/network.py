"""DGMN2: four stages of shrinking maps, whose nodes pass messages to dynamically sampled nodes.

Zhang, Chen, Arnab, Xue, Torr, "Dynamic Graph Message Passing Networks", 2019, extended to visual recognition in 2022
(arXiv 1908.06955). Layout and names are those of the authors' classification networks.
"""

import numpy as np
from mindspore import nn

from ..family import NetworkSpec
from ..layers import (
    ConvStem,
    Downsample,
    LayerContext,
    chain,
    check_sides,
    drop_path,
    dropout,
    gelu,
    global_average,
    initialize,
    kaiming_uniform,
    layer_norm,
    linear,
    linear_activation_linear,
    map_of,
    nodes_of,
    relu,
    resize_linear,
    truncated_normal,
)
from .attention import SampledAttention
from .variants import VARIANTS, Variant

NORM_EPSILON = 1e-6


class FeedForward(nn.Cell):
    """Each node by itself through a hidden layer with GELU, (B, N, C) -> the same shape."""

    def __init__(self, channels: int, ratio: int, context: LayerContext):
        super().__init__()
        sizes = (channels, ratio * channels, channels)
        self.fc1, self.act, self.fc2 = linear_activation_linear(*sizes, gelu, context)

    def construct(self, x):
        num_nodes, channels = x.shape[1:]
        return self.fc2(self.act(self.fc1(x.reshape((-1, channels))))).reshape((-1, num_nodes, channels))


class Block(nn.Cell):
    """Attention to sampled nodes, feed-forward network; (B, N, C) -> the same shape."""

    def __init__(self, channels: int, num_heads: int, mlp_ratio: int, side: int, rate: float, context: LayerContext):
        super().__init__()
        self.norm1 = layer_norm(channels, NORM_EPSILON, context)
        self.attn = SampledAttention(channels, num_heads, side, context)
        self.norm2 = layer_norm(channels, NORM_EPSILON, context)
        self.mlp = FeedForward(channels, mlp_ratio, context)
        self.drop_attn = drop_path(rate)
        self.drop_mlp = drop_path(rate)

    def construct(self, x):
        x = x + self.drop_attn(self.attn(self.norm1(x)))
        return x + self.drop_mlp(self.mlp(self.norm2(x)))


class DGMN2(nn.Cell):
    """Classifier: (B, 3, S, S) -> (B, class_num).

    feature_channels and feature_strides (pixels a node along one side) describe `feature_maps`.
    """

    HEAD_CELLS = ("dropout", "head")

    def __init__(self, variant: Variant, spec: NetworkSpec, *, drop_path_rate: float, drop_rate: float):
        super().__init__()
        context = spec.context
        widths = variant.channels
        self.image_size = spec.image_size
        self.feature_channels = widths
        self.feature_strides = tuple(variant.stem_stride << stage for stage in range(4))
        self.sides = tuple(spec.image_size // stride for stride in self.feature_strides)
        rates = iter(np.linspace(0, drop_path_rate, sum(variant.num_blocks)).tolist())

        def blocks(stage: int) -> nn.SequentialCell:
            channels, side = widths[stage], self.sides[stage]
            sizes = (channels, channels // variant.head_channels, variant.mlp_ratio[stage], side)
            return chain([Block(*sizes, next(rates), context) for _ in range(variant.num_blocks[stage])], context)

        narrow = widths[0] // 2
        self.patch_embed1 = ConvStem((narrow, narrow, widths[0]), variant.stem_stride, relu, context, bias=False)
        self.patch_embed2 = Downsample(widths[0], widths[1], relu, context, bias=False)
        self.patch_embed3 = Downsample(widths[1], widths[2], relu, context, bias=False)
        self.patch_embed4 = Downsample(widths[2], widths[3], relu, context, bias=False)
        self.block1 = blocks(0)
        self.block2 = blocks(1)
        self.block3 = blocks(2)
        self.block4 = blocks(3)
        self.dropout = dropout(drop_rate)
        self.head = linear(widths[3], spec.class_num, context)

    def feature_maps(self, x):
        """(B, 3, S, S) -> the four stages' outputs (B, C, H, W), sides 1/4, 1/8, 1/16 and 1/32 of S (nano: 1/2 ...)."""
        check_sides(x, self.image_size)
        first = map_of(self.block1(nodes_of(self.patch_embed1(x))), self.sides[0])
        second = map_of(self.block2(nodes_of(self.patch_embed2(first))), self.sides[1])
        third = map_of(self.block3(nodes_of(self.patch_embed3(second))), self.sides[2])
        fourth = map_of(self.block4(nodes_of(self.patch_embed4(third))), self.sides[3])
        return first, second, third, fourth

    def features(self, x):
        """(B, 3, S, S) -> (B, C): the average of the last stage's nodes."""
        return global_average(self.feature_maps(x)[3])

    def construct(self, x):
        return self.head(self.dropout(self.features(x)))

    def sampled_positions(self, x):
        """Where each block looks, for drawings (PyNative mode).

        x: images (B, 3, S, S). Returns for each block, first to last, (positions, attention): (row, column) in pixels
        of the stage's map (B, heads, N, 9, 2), some outside of it, and the weights (B, heads, N, 9).
        """
        found = []
        stages = (self.patch_embed1, self.patch_embed2, self.patch_embed3, self.patch_embed4)
        for stage, embed in enumerate(stages):
            nodes = nodes_of(embed(x))
            for block in (self.block1, self.block2, self.block3, self.block4)[stage]:
                found.append(block.attn.sampled(block.norm1(nodes)))
                nodes = block(nodes)
            x = map_of(nodes, self.sides[stage])
        return tuple(found)

    def resize_parameter(self, name: str, value: np.ndarray) -> np.ndarray | None:
        """A table `value` (L, d) of relative positions, made for another image size, at this network's length.

        None when parameter `name` doesn't depend on the image size.
        """
        if not name.endswith((".rel_height", ".rel_width")):
            return None
        return resize_linear(value, self.parameters_dict()[name].shape[0])


def build(spec: NetworkSpec, *, drop_path_rate: float = 0.0, drop_rate: float = 0.0) -> DGMN2:
    """The named variant with fresh weights: truncated normal of deviation 0.02, convolutions Kaiming uniform
    (PyTorch's default), tables of relative positions normal with deviation 1 / sqrt(d)."""
    variant = VARIANTS[spec.name]
    step = variant.size_step
    if spec.image_size < step or spec.image_size % step:
        spec.refuse_size(f"{step}, {2 * step}, {3 * step}, ... (multiples of {step})")
    network = DGMN2(variant, spec, drop_path_rate=drop_path_rate, drop_rate=drop_rate)

    def rule(parameter_name, shape, generator):
        if len(shape) == 4:
            return kaiming_uniform(shape, generator)
        if parameter_name.endswith(("rel_height", "rel_width")):
            return generator.standard_normal(shape) * shape[1] ** -0.5
        return truncated_normal(shape, generator, 0.02) if len(shape) == 2 else None

    initialize(network, spec.seed, rule)
    return network
