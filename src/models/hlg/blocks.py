"""The blocks of HLG: attention within groups and to the groups' means, and plain attention in the last stage.

Letters in shape comments: B images, C channels, S side of the map, N = S * S tokens, W side of a group, G = (S / W)^2
groups. No shape names B, so that an exported network takes any batch.
"""

import numpy as np
from mindspore import nn

from ..layers import (
    LayerContext,
    batch_norm,
    chain,
    conv,
    drop_path,
    gelu_tokens,
    layer_norm,
    linear,
    linear_activation_linear,
    map_of,
    multi_head_mixture,
    norm_activation,
    row_mean,
    row_transpose,
    swapped_axes,
    tanh_gelu,
)

NORM_EPSILON = 1e-7  # the seed's framework's default


class Windows(nn.Cell):
    """Groups of neighbours on a square map."""

    def __init__(self, side: int, window: int, context: LayerContext):
        super().__init__()
        self.side, self.window = side, window
        self.num_windows = side // window  # along one side
        self.row_transpose = row_transpose(context)
        self.shape, self.axes = self.arrangement(self.num_windows, window)
        self.gelu_tokens = gelu_tokens(self.shape, self.axes, context)
        self.split_shape = tuple(self.shape[axis] for axis in self.axes)
        self.axes_back = tuple(np.argsort(self.axes).tolist())

    def arrangement(self, count: int, window: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The map's two sides as four axes, and the axes' order in groups: two of the groups', two within a group."""
        return (count, window, count, window), (0, 2, 1, 3)

    def split(self, x, y):
        """tanh-GELU of the sum of two maps (B, C, S, S) -> (B * G, W * W, C)."""
        tokens = self.gelu_tokens(x, y)
        return tokens.reshape((-1, self.window**2, tokens.shape[2]))

    def join(self, x):
        """(B * G, W * W, C) -> (B, N, C)."""
        return self.row_transpose(x, self.split_shape, self.axes_back)

    def members(self) -> np.ndarray:
        """(G, W * W) numbers, row by row, of the tokens of each group."""
        return np.arange(self.side**2).reshape(self.shape).transpose(self.axes).reshape((-1, self.window**2))


class DilatedWindows(Windows):
    """Groups that span the map: each takes every (S / W)-th row and column."""

    def arrangement(self, count: int, window: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
        return (window, count, window, count), (1, 3, 0, 2)


def by_rows(layer, x):
    """A layer of rows (R, C) for tokens, (B, N, C) -> (B, N, C')."""
    y = layer(x.reshape((-1, x.shape[2])))
    return y.reshape((-1, x.shape[1], y.shape[1]))


def by_rows_beside_bias(layer, x):
    """The same for a layer that leaves its bias: (B, N, C) -> (B, N, C'), (C',)."""
    y, bias = layer(x.reshape((-1, x.shape[2])))
    return y.reshape((-1, x.shape[1], y.shape[1])), bias


class MultiHeadAttention(nn.Cell):
    """Scaled dot-product attention in several heads; queries (B, N, C) look at (B, M, C) -> (B, N, C)."""

    def __init__(self, channels: int, num_heads: int, context: LayerContext):
        super().__init__()
        self.to_q = linear(channels, channels, context, mixed=True)
        self.to_k = linear(channels, channels, context, mixed=True)
        self.to_v = linear(channels, channels, context, mixed=True)
        self.proj = linear(channels, channels, context)
        self.mixture = multi_head_mixture(num_heads, context)
        # Chosen here: a branch in the graph takes long to compile.
        self.projected = by_rows_beside_bias if context.uses_kernels else by_rows

    def queries_keys_values(self, x, context):
        """(B, N, C), (B, M, C) -> (B, N, C), (B, M, C), (B, M, C)."""
        return self.projected(self.to_q, x), self.projected(self.to_k, context), self.projected(self.to_v, context)

    def weights(self, x, context):
        """The share (B, heads, N, M) of its attention that each query gives to each key."""
        return self.mixture.weights(*self.queries_keys_values(x, context))

    def construct(self, x, context):
        return by_rows(self.proj, self.mixture(*self.queries_keys_values(x, context)))


class FeedForward(nn.Cell):
    """Each token by itself through a hidden layer with GELU, (B, N, C) -> the same shape."""

    def __init__(self, channels: int, ratio: int, context: LayerContext):
        super().__init__()
        sizes = (channels, ratio * channels, channels)
        self.ff1, self.act, self.ff2 = linear_activation_linear(*sizes, tanh_gelu, context)

    def of_rows(self, rows):
        """(R, C) -> (R, C)."""
        return self.ff2(self.act(self.ff1(rows)))

    def construct(self, x):
        return by_rows(self.of_rows, x)


def spatial_smooth(channels: int, context: LayerContext) -> nn.SequentialCell:
    """Convolutions 1x1, 3x3, 1x1 through a quarter of the channels, BatchNorm after each and GELU in between."""
    narrow = channels // 4
    cells = [
        conv(channels, narrow, bias=True, normed=True, context=context),
        *norm_activation(narrow, tanh_gelu, context, biased=True),
        conv(narrow, narrow, 3, bias=True, normed=True, context=context),
        *norm_activation(narrow, tanh_gelu, context, biased=True),
        conv(narrow, channels, bias=True, normed=True, context=context),
        batch_norm(channels, context, biased=True),
    ]
    return chain(cells, context)


class LocalGlobalBlock(nn.Cell):
    """Smoothing, attention within groups, attention of all tokens to the groups' means, feed-forward network.

    The same attention weights serve both; the means are not normalised. In the local attention stochastic depth drops
    the branch of a group, elsewhere that of an image. (B, N, C) -> the same shape.
    """

    def __init__(
        self, channels: int, num_heads: int, mlp_ratio: int, groups: Windows, rate: float, context: LayerContext
    ):
        super().__init__()
        self.groups = groups
        self.swapped_axes = swapped_axes(context)
        self.spatial_smooth = chain([spatial_smooth(channels, context)], context)
        self.group_mean = row_mean(context)
        self.norm0 = layer_norm(channels, NORM_EPSILON, context)
        self.norm1 = layer_norm(channels, NORM_EPSILON, context)
        self.norm2 = layer_norm(channels, NORM_EPSILON, context)
        self.attn = MultiHeadAttention(channels, num_heads, context)
        self.mlp = FeedForward(channels, mlp_ratio, context)
        self.drop_local = drop_path(rate)
        self.drop_global = drop_path(rate)
        self.drop_mlp = drop_path(rate)

    def smoothed(self, x):
        """(B, N, C) -> groups (B * G, W * W, C)."""
        x = map_of(x, self.groups.side, self.swapped_axes)  # (B, C, S, S)
        return self.groups.split(x, self.spatial_smooth(x))

    def after_local(self, x):
        """Groups (B * G, W * W, C) -> tokens (B, N, C) that have looked at their group, the groups' means (B, G, C)."""
        normed = self.norm0(x)
        x = x + self.drop_local(self.attn(normed, normed))
        means = self.group_mean(x).reshape((-1, self.groups.num_windows**2, x.shape[2]))
        return self.groups.join(x), means

    def construct(self, x):
        x, means = self.after_local(self.smoothed(x))
        x = x + self.drop_global(self.attn(self.norm1(x), means))
        return x + self.drop_mlp(self.mlp(self.norm2(x)))

    def attention(self, x):
        """(B, N, C) -> weights within each group (B, G, heads, W * W, W * W), weights of the means (B, heads, N, G)."""
        x = self.smoothed(x)
        normed = self.norm0(x)
        local = self.attn.weights(normed, normed)
        local = local.reshape((-1, self.groups.num_windows**2) + local.shape[1:])
        x, means = self.after_local(x)
        return local, self.attn.weights(self.norm1(x), means)


class GlobalBlock(nn.Cell):
    """Attention of all tokens to all, feed-forward network; (B, N, C) -> the same shape."""

    def __init__(self, channels: int, num_heads: int, mlp_ratio: int, rate: float, context: LayerContext):
        super().__init__()
        self.norm1 = layer_norm(channels, NORM_EPSILON, context)
        self.norm2 = layer_norm(channels, NORM_EPSILON, context)
        self.attn = MultiHeadAttention(channels, num_heads, context)
        self.mlp = FeedForward(channels, mlp_ratio, context)
        self.drop_attn = drop_path(rate)
        self.drop_mlp = drop_path(rate)

    def construct(self, x):
        normed = self.norm1(x)
        x = x + self.drop_attn(self.attn(normed, normed))
        return x + self.drop_mlp(self.mlp(self.norm2(x)))

    def attention(self, x):
        """(B, N, C) -> weights of all tokens (B, 1, heads, N, N): one group."""
        normed = self.norm1(x)
        return (self.attn.weights(normed, normed).expand_dims(1),)
