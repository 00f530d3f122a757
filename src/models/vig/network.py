"""Isotropic ViG: a convolutional stem turns the image into a square of nodes, on which blocks of one width follow.

Han, Wang, Guo, Tang, Wu, "Vision GNN: An Image is Worth Graph of Nodes", 2022 (arXiv 2206.00272).
"""

import numpy as np
from mindspore import Parameter, Tensor, nn

from ..family import NetworkSpec
from ..layers import (
    chain,
    initialize,
    kaiming_normal,
    resize_bicubic,
    truncated_normal,
)
from .blocks import FeedForward, Grapher, Stem, prediction_head
from .classifier import GraphClassifier
from .pyramid import PyramidViG
from .variants import PYRAMIDS, VARIANTS, Variant

NEIGHBOURS_FIRST, NEIGHBOURS_LAST = 9, 18


def stem_stride(spec: NetworkSpec) -> int:
    """Pixels a node along one side: 16 as published; 4 up to 64 pixels, so that a 32 x 32 image has 8 x 8 nodes.

    ValueError for a size the stem can't divide, or with fewer nodes than a node's neighbours.
    """
    stride = 16 if spec.image_size > 64 else 4
    if spec.image_size % stride or (spec.image_size // stride) ** 2 <= NEIGHBOURS_LAST:
        raise ValueError(f"image_size is {spec.image_size}; ViG takes 20, 24, ... 64 and 80, 96, ... (multiples of 16)")
    return stride


def graph_sizes(num_blocks: int, num_nodes: int) -> list[tuple[int, int]]:
    """(neighbours, dilation) of each block: 9 rising to 18 neighbours, dilation 1, 2, ... every four blocks."""
    neighbours = np.linspace(NEIGHBOURS_FIRST, NEIGHBOURS_LAST, num_blocks).astype(int)
    widest = num_nodes // NEIGHBOURS_LAST
    return [(int(k), min(index // 4 + 1, widest)) for index, k in enumerate(neighbours)]


class ViG(GraphClassifier):
    """Classifier: (B, 3, S, S) -> (B, class_num)."""

    def __init__(self, variant: Variant, spec: NetworkSpec, *, drop_path_rate: float, drop_rate: float):
        super().__init__()
        context = spec.context
        channels, form = variant.channels, variant.form
        stride = stem_stride(spec)
        side = spec.image_size // stride
        num_halvings = stride.bit_length() - 1
        self.image_size = spec.image_size
        self.stem = Stem(
            (3, channels // 8, channels // 4, channels // 2, channels, channels),
            [2 if index < num_halvings else 1 for index in range(5)],
            form,
            context,
        )
        self.pos_embed = Parameter(Tensor(np.zeros((1, channels, side, side), np.float32)), name="pos_embed")
        rates = np.linspace(0, drop_path_rate, variant.num_blocks).tolist()
        graphs = graph_sizes(variant.num_blocks, side * side)
        blocks = [
            [Grapher(channels, k, dilation, rate, form, context), FeedForward(channels, rate, form, context)]
            for (k, dilation), rate in zip(graphs, rates, strict=True)
        ]
        self.backbone = chain([chain(block, context) for block in blocks], context)
        self.prediction = prediction_head(channels, variant.head_channels, spec.class_num, drop_rate, form, context)

    def resize_parameter(self, name: str, value: np.ndarray) -> np.ndarray | None:
        """A loaded tensor for this network's image size; None where the size does not matter to it."""
        return resize_bicubic(value, self.pos_embed.shape[-1]) if name == "pos_embed" else None


def build(spec: NetworkSpec, *, drop_path_rate: float = 0.0, drop_rate: float = 0.0) -> nn.Cell:
    """The named variant with fresh weights: Kaiming normal convolutions, zero biases (the authors' initialisation)."""
    rates = {"drop_path_rate": drop_path_rate, "drop_rate": drop_rate}
    if spec.name in PYRAMIDS:
        variant = PYRAMIDS[spec.name]
        network = PyramidViG(variant, spec, **rates)
    else:
        variant = VARIANTS[spec.name]
        network = ViG(variant, spec, **rates)

    def rule(parameter_name, shape, generator):
        if len(shape) == 4 and parameter_name.endswith("weight"):
            return kaiming_normal(shape, generator)
        if parameter_name == "pos_embed" and variant.form.pos_deviation:
            return truncated_normal(shape, generator, variant.form.pos_deviation)
        return None

    initialize(network, spec.seed, rule)
    return network
