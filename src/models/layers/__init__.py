"""Layers that the networks share; each chooses its formulation by the LayerContext it is built with."""

from .activation import gelu, tanh_gelu
from .batch_norm import batch_norm
from .context import LayerContext
from .conv import conv, conv_norm
from .dot_product import dot_product
from .dropout import channel_dropout, drop_path, dropout
from .initialization import initialize, kaiming_normal, kaiming_uniform, truncated_normal
from .keyed_random import share_random_step
from .layer_norm import layer_norm
from .linear import linear
from .pooling import ceil_max_pool_after_relu, global_average, max_pool_after_relu
from .rearrange import row_transpose
from .resize import bilinear_resize
from .resizing import resize_bicubic, resize_tokens

__all__ = [
    "LayerContext",
    "batch_norm",
    "bilinear_resize",
    "ceil_max_pool_after_relu",
    "channel_dropout",
    "conv",
    "conv_norm",
    "dot_product",
    "drop_path",
    "dropout",
    "gelu",
    "global_average",
    "initialize",
    "kaiming_normal",
    "kaiming_uniform",
    "layer_norm",
    "linear",
    "max_pool_after_relu",
    "resize_bicubic",
    "resize_tokens",
    "row_transpose",
    "share_random_step",
    "tanh_gelu",
    "truncated_normal",
]
