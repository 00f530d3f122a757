"""Pyramid ViG: four stages of graph blocks, each with a quarter of the nodes of the one before and wider ones.

Han, Wang, Guo, Tang, Wu, "Vision GNN: An Image is Worth Graph of Nodes", 2022 (arXiv 2206.00272).
"""

from collections.abc import Iterator

import numpy as np
from mindspore import Parameter, Tensor, nn

from ..family import NetworkSpec
from ..layers import LayerContext, chain, conv_norm, resize_bicubic
from .blocks import FeedForward, Form, Grapher, Stem, prediction_head
from .classifier import GraphClassifier
from .variants import PyramidVariant

NUM_NEIGHBOURS = 9
REDUCTIONS = (4, 2, 1, 1)  # of the key nodes, per stage
FREQUENCY_BASE = 10000.0  # of the position embedding


def stage_sides(variant: PyramidVariant, spec: NetworkSpec) -> list[int]:
    """Nodes along one side in each stage.

    ValueError for a size that the halvings can't divide, or that leaves the last stage fewer nodes than neighbours.
    """
    num_stages = len(variant.channels)
    step = variant.stem_stride * 2 ** (num_stages - 1)
    smallest = step * int(np.ceil(NUM_NEIGHBOURS**0.5))
    if spec.image_size % step or spec.image_size < smallest:
        spec.refuse_size(f"{smallest}, {smallest + step}, {smallest + 2 * step}, ... (multiples of {step})")
    return [spec.image_size // variant.stem_stride // 2**stage for stage in range(num_stages)]


def position_embedding(side: int, channels: int) -> np.ndarray:
    """(side * side, channels) float64: sines and cosines of the column, then of the row; channels / 4 frequencies."""
    num_frequencies = channels // 4
    frequencies = FREQUENCY_BASE ** (-np.arange(num_frequencies) / num_frequencies)
    rows, columns = np.divmod(np.arange(side * side), side)
    angles = [np.outer(axis, frequencies) for axis in (columns, rows)]
    return np.concatenate([wave(angle) for angle in angles for wave in (np.sin, np.cos)], 1)


def relative_position(side: int, channels: int, reduction: int) -> np.ndarray:
    """(1, N, M) float32 with N = side^2 nodes and M = N / reduction^2 key nodes: -2 E E' / channels.

    The authors shrink E E^T along its second axis, as an image of N x N pixels, by bicubic interpolation with
    a = -0.75. That is linear, so it may act on E itself. Each output pixel falls halfway between two pixels, hence one
    set of four weights; the window is a run of reduction^2 consecutive nodes, not a square of the map.
    """
    nodes = keys = position_embedding(side, channels)
    if reduction > 1:
        window = reduction**2
        left = np.arange(window // 2 - 1, len(nodes), window)
        keys = 0.59375 * (nodes[left] + nodes[left + 1]) - 0.09375 * (nodes[left - 1] + nodes[left + 2])
    return (-2.0 / channels * nodes @ keys.T)[None].astype(np.float32)


class Downsample(nn.Cell):
    """(B, C, H, W) -> (B, out_channels, H / 2, W / 2)."""

    def __init__(self, in_channels: int, out_channels: int, form: Form, context: LayerContext):
        super().__init__()
        self.conv = conv_norm(in_channels, out_channels, 3, stride=2, bias=form.bias, context=context)

    def construct(self, x):
        return self.conv(x)


def backbone_cells(
    variant: PyramidVariant, sides: list[int], drop_path_rate: float, context: LayerContext
) -> Iterator[nn.Cell]:
    """Blocks [Grapher, FeedForward] of all stages, a Downsample before each stage but the first."""
    form = variant.form
    rates = np.linspace(0, drop_path_rate, sum(variant.num_blocks)).tolist()
    widest = sides[-1] ** 2 // NUM_NEIGHBOURS  # dilation that the fewest key nodes allow
    index = 0  # of the block, over all stages
    for stage, (channels, side, reduction) in enumerate(zip(variant.channels, sides, REDUCTIONS, strict=False)):
        if stage > 0:
            yield Downsample(variant.channels[stage - 1], channels, form, context)
        table = relative_position(side, channels, reduction)
        for _ in range(variant.num_blocks[stage]):
            dilation = min(index // 4 + 1, widest)
            grapher = Grapher(
                channels,
                NUM_NEIGHBOURS,
                dilation,
                rates[index],
                form,
                context,
                reduction=reduction,
                relative_pos=table,
            )
            yield chain([grapher, FeedForward(channels, rates[index], form, context)], context)
            index += 1


class PyramidViG(GraphClassifier):
    """Classifier: (B, 3, S, S) -> (B, class_num).

    feature_channels and feature_strides (pixels a node along one side) describe `feature_maps`.
    """

    HEAD_CELLS = ("prediction",)

    def __init__(self, variant: PyramidVariant, spec: NetworkSpec, *, drop_path_rate: float, drop_rate: float):
        super().__init__()
        first, last = variant.channels[0], variant.channels[-1]
        sides = stage_sides(variant, spec)
        strides = (variant.stem_stride // 2, 2, 1)
        self.image_size = spec.image_size
        self.stem = Stem((3, first // 2, first, first), strides, variant.form, spec.context)
        self.pos_embed = Parameter(Tensor(np.zeros((1, first, sides[0], sides[0]), np.float32)), name="pos_embed")
        self.backbone = chain(list(backbone_cells(variant, sides, drop_path_rate, spec.context)), spec.context)
        self.prediction = prediction_head(
            last, variant.head_channels, spec.class_num, drop_rate, variant.form, spec.context
        )
        # Place of each stage's last cell in the backbone: its blocks and the Downsample cells before it.
        self.stage_ends = [sum(variant.num_blocks[: stage + 1]) + stage - 1 for stage in range(len(variant.channels))]
        self.feature_channels = variant.channels
        self.feature_strides = tuple(variant.stem_stride << stage for stage in range(len(variant.channels)))

    def feature_maps(self, x):
        """(B, 3, S, S) -> each stage's last map, (B, C, H, W), the finest first."""
        x = self.nodes(x)
        maps = ()
        for number, cell in enumerate(self.backbone):
            x = cell(x)
            if number in self.stage_ends:
                maps = maps + (x,)
        return maps

    def resize_parameter(self, name: str, value: np.ndarray) -> np.ndarray | None:
        """A loaded tensor for this network's image size; None where the size does not matter to it.

        The fixed distance terms are computed for the new size. The authors resize the trained network's, which mixes
        the end of one row of the map with the start of the next.
        """
        if name == "pos_embed":
            return resize_bicubic(value, self.pos_embed.shape[-1])
        return self.parameters_dict()[name].asnumpy() if name.endswith("relative_pos") else None
