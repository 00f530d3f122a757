"""Layers that the networks share.

`standard.py` and `nodes.py` define them as GPU and Ascend run them; `formulations.py` is the one table by which the CPU
(`cpu/`) and the export (`export/`) build another cell in their place. Networks import from here alone.
"""

from .batch_norm import Activation, batch_norm, norm_activation
from .blocks import Bottleneck, ConvStem, Downsample, conv_norm, relu
from .chain import chain
from .dropout import channel_dropout, drop_path, dropout
from .formulations import (
    KERNEL_SOURCES,
    LayerContext,
    bilinear_resize,
    ceil_max_pool_after_relu,
    conv,
    gelu,
    gelu_tokens,
    layer_norm,
    linear,
    linear_activation_linear,
    max_pool_after_relu,
    max_relative,
    multi_head_mixture,
    named_rows,
    nearest_neighbours,
    neighbour_max,
    row_mean,
    row_transpose,
    sampled_mixture,
    swapped_axes,
    tanh_gelu,
)
from .initialization import initialize, kaiming_normal, kaiming_uniform, truncated_normal
from .keyed_random import share_random_step
from .nodes import check_sides, map_of, nodes_of
from .position_tables import resize_bicubic, resize_linear, resize_tokens
from .sampling import TAPS, Sampling
from .standard import global_average

__all__ = [
    "check_sides",
    "KERNEL_SOURCES",
    "Activation",
    "Bottleneck",
    "ConvStem",
    "Downsample",
    "LayerContext",
    "Sampling",
    "TAPS",
    "batch_norm",
    "bilinear_resize",
    "ceil_max_pool_after_relu",
    "chain",
    "channel_dropout",
    "conv",
    "conv_norm",
    "drop_path",
    "dropout",
    "gelu",
    "gelu_tokens",
    "global_average",
    "initialize",
    "kaiming_normal",
    "kaiming_uniform",
    "layer_norm",
    "linear",
    "linear_activation_linear",
    "map_of",
    "max_pool_after_relu",
    "max_relative",
    "multi_head_mixture",
    "named_rows",
    "nearest_neighbours",
    "neighbour_max",
    "nodes_of",
    "norm_activation",
    "relu",
    "resize_bicubic",
    "resize_linear",
    "resize_tokens",
    "row_mean",
    "row_transpose",
    "sampled_mixture",
    "share_random_step",
    "swapped_axes",
    "tanh_gelu",
    "truncated_normal",
]
