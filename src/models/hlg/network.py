"""HLG: four stages of shrinking maps; three join attention within windows with attention to the windows' means.

Zhang et al., "Vision Transformers: From Semantic Segmentation to Dense Prediction", 2022 (arXiv 2207.09339). Layout and
names are those of the older MindSpore zoo's `hlg_mobile`.
"""

import numpy as np
from mindspore import Parameter, Tensor, nn, ops

from ..family import NetworkSpec
from ..layers import (
    ConvStem,
    Downsample,
    check_sides,
    dropout,
    initialize,
    kaiming_normal,
    layer_norm,
    linear,
    map_of,
    nodes_of,
    resize_tokens,
    swapped_axes,
    tanh_gelu,
    truncated_normal,
)
from .blocks import NORM_EPSILON, DilatedWindows, GlobalBlock, LocalGlobalBlock, Windows
from .variants import VARIANTS, Variant


def zeros_parameter(name: str, *shape: int) -> Parameter:
    """Zeros until the keyed initialisation."""
    return Parameter(Tensor(np.zeros(shape, np.float32)), name=name)


class HLG(nn.Cell):
    """Classifier: (B, 3, S, S) -> (B, class_num). Of a stage's two blocks the second has dilated windows.

    feature_channels and feature_strides (pixels a token along one side) describe `feature_maps`.
    """

    HEAD_CELLS = ("norm", "dropout", "head")

    def __init__(self, variant: Variant, spec: NetworkSpec, *, drop_path_rate: float, drop_rate: float):
        super().__init__()
        context = spec.context
        widths = variant.channels
        self.feature_channels = widths
        self.feature_strides = tuple(variant.stem_stride << stage for stage in range(4))
        self.image_size = spec.image_size
        self.sides = [spec.image_size // stride for stride in self.feature_strides]
        num_tokens = [side * side for side in self.sides]
        rates = iter(np.linspace(0, drop_path_rate, 8).tolist())

        def local_global(stage: int, form: type[Windows]) -> LocalGlobalBlock:
            groups = form(self.sides[stage], variant.window, context)
            sizes = (widths[stage], variant.heads[stage], variant.mlp_ratio[stage])
            return LocalGlobalBlock(*sizes, groups, next(rates), context)

        self.swapped_axes = swapped_axes(context)
        self.patch_embed1 = ConvStem((widths[0],) * 3, variant.stem_stride, tanh_gelu, context, bias=True)
        self.pos_embed1 = zeros_parameter("pos_embed1", 1, num_tokens[0], widths[0])
        self.block1_0 = local_global(0, Windows)
        self.block1_1 = local_global(0, DilatedWindows)
        self.patch_embed2 = Downsample(widths[0], widths[1], tanh_gelu, context, bias=True)
        self.pos_embed2 = zeros_parameter("pos_embed2", 1, num_tokens[1], widths[1])
        self.block2_0 = local_global(1, Windows)
        self.block2_1 = local_global(1, DilatedWindows)
        self.patch_embed3 = Downsample(widths[1], widths[2], tanh_gelu, context, bias=True)
        self.pos_embed3 = zeros_parameter("pos_embed3", 1, num_tokens[2], widths[2])
        self.block3_0 = local_global(2, Windows)
        self.block3_1 = local_global(2, DilatedWindows)
        self.patch_embed4 = Downsample(widths[2], widths[3], tanh_gelu, context, bias=True)
        self.cls = zeros_parameter("cls", 1, 1, widths[3])
        self.pos_embed4 = zeros_parameter("pos_embed4", 1, 1 + num_tokens[3], widths[3])
        sizes = (widths[3], variant.heads[3], variant.mlp_ratio[3])
        self.block4_0 = GlobalBlock(*sizes, next(rates), context)
        self.block4_1 = GlobalBlock(*sizes, next(rates), context)
        self.norm = layer_norm(widths[3], NORM_EPSILON, context)
        self.dropout = dropout(drop_rate)
        self.head = linear(widths[3], spec.class_num, context)
        # Padding both, then adding, puts the class token in front without naming the batch size.
        self.pad_front = ops.Pad(((0, 0), (1, 0), (0, 0)))
        self.pad_back = ops.Pad(((0, 0), (0, num_tokens[3]), (0, 0)))

    def with_class_token(self, x):
        """(B, N, C) -> (B, 1 + N, C)."""
        return self.pad_front(x) + self.pad_back(self.cls)

    def embedded(self, patch_embed, nodes, side):
        """Nodes (B, S * S, C) of a map -> (B, S * S / 4, C') of the next stage's."""
        return nodes_of(patch_embed(map_of(nodes, side, self.swapped_axes)), self.swapped_axes)

    def stages(self, x):
        """(B, 3, S, S) -> the tokens that enter each of the four stages, and those that leave it."""
        check_sides(x, self.image_size)
        x1 = nodes_of(self.patch_embed1(x), self.swapped_axes) + self.pos_embed1  # (B, N, C)
        y1 = self.block1_1(self.block1_0(x1))
        x2 = self.embedded(self.patch_embed2, y1, self.sides[0]) + self.pos_embed2  # (B, N / 4, C2)
        y2 = self.block2_1(self.block2_0(x2))
        x3 = self.embedded(self.patch_embed3, y2, self.sides[1]) + self.pos_embed3  # (B, N / 16, C3)
        y3 = self.block3_1(self.block3_0(x3))
        x = self.embedded(self.patch_embed4, y3, self.sides[2])  # (B, N / 64, C4)
        x4 = self.with_class_token(x) + self.pos_embed4
        y4 = self.block4_1(self.block4_0(x4))
        return (x1, x2, x3, x4), (y1, y2, y3, y4)

    def features(self, x):
        """(B, 3, S, S) -> (B, C): the class token."""
        return self.norm(self.stages(x)[1][3][:, 0])

    def feature_maps(self, x):
        """(B, 3, S, S) -> each stage's last map, (B, C, H, W), the finest first; the class token is left out."""
        y1, y2, y3, y4 = self.stages(x)[1]
        sides = self.sides
        return map_of(y1, sides[0]), map_of(y2, sides[1]), map_of(y3, sides[2]), map_of(y4[:, 1:], sides[3])

    def attention(self, x):
        """(B, 3, S, S) -> for each block the weights of its attentions; the groups' tokens are those of `groups`.

        Six blocks: within the groups (B, G, heads, T, T), T tokens a group; to the groups' means (B, heads, N, G).
        Two blocks: of all tokens (B, 1, heads, 1 + N, 1 + N), the class token first.
        """
        x1, x2, x3, x4 = self.stages(x)[0]
        return (
            self.block1_0.attention(x1),
            self.block1_1.attention(self.block1_0(x1)),
            self.block2_0.attention(x2),
            self.block2_1.attention(self.block2_0(x2)),
            self.block3_0.attention(x3),
            self.block3_1.attention(self.block3_0(x3)),
            self.block4_0.attention(x4),
            self.block4_1.attention(self.block4_0(x4)),
        )

    @property
    def groups(self) -> tuple[np.ndarray, ...]:
        """For each block the tokens (G, T) of its groups, numbered row by row; the last two have one group of all."""
        blocks = (self.block1_0, self.block1_1, self.block2_0, self.block2_1, self.block3_0, self.block3_1)
        everything = np.arange(self.sides[3] ** 2).reshape(1, -1)
        return (*(block.groups.members() for block in blocks), everything, everything)

    def construct(self, x):
        return self.head(self.dropout(self.features(x)))

    def resize_parameter(self, name: str, value: np.ndarray) -> np.ndarray | None:
        """A loaded tensor for this network's image size; None where the size does not matter to it."""
        if not name.startswith("pos_embed"):
            return None
        num_tokens = getattr(self, name).shape[1]
        return resize_tokens(value, num_tokens, num_extra=1 if name == "pos_embed4" else 0)


def build(spec: NetworkSpec, *, drop_path_rate: float = 0.0, drop_rate: float = 0.0) -> HLG:
    """The named variant with fresh weights: truncated normal of deviation 0.02, Kaiming normal (fan out) convolutions.

    That is how vision transformers usually start (Touvron et al. 2021); neither the paper nor the seed says.
    """
    variant = VARIANTS[spec.name]
    step = variant.size_step
    if spec.image_size < step or spec.image_size % step:
        spec.refuse_size(f"{step}, {2 * step}, {3 * step}, ... (multiples of {step})")
    network = HLG(variant, spec, drop_path_rate=drop_path_rate, drop_rate=drop_rate)

    def rule(parameter_name, shape, generator):
        if len(shape) == 4:
            return kaiming_normal(shape, generator, fan_out=True)
        return truncated_normal(shape, generator, 0.02) if len(shape) in (2, 3) else None

    initialize(network, spec.seed, rule)
    return network
