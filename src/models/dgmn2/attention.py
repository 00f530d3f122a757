"""Attention of each node to 9 places that it samples around itself (Zhang et al. 2022, "dynamic sampling").

Letters in shape comments: B images, S side of the map, N = S * S nodes, C channels; R = B * N * heads rows of d
channels, node by node and head by head.
"""

import numpy as np
from mindspore import Parameter, Tensor, nn, ops

from ..layers import TAPS, LayerContext, Sampling, linear, sampled_mixture


class RelativePosition(nn.Cell):
    """Logits of the 9 taps by a node's place: queries (R, d) -> (R, 9).

    A node at column c of width S reads the rows (S - 1) - c + tap of rel_width; at row r likewise of rel_height. The
    published network adds the second term at the mirrored node, r and c exchanged; its trained weights expect that.

    All rows of a table are multiplied, and the 9 found by slices. Products with the 9 alone are fewer, but compiled for
    a GPU, with transpositions that bring the place to the front, they came out wrong (docs/gpu.md).
    """

    def __init__(self, side: int, num_heads: int, head_channels: int):
        super().__init__()
        shape = (side + TAPS - 1, head_channels)
        self.rel_height = Parameter(Tensor(np.zeros(shape, np.float32)), name="rel_height")
        self.rel_width = Parameter(Tensor(np.zeros(shape, np.float32)), name="rel_width")
        self.shape = (-1, side, side, num_heads, head_channels)
        self.inner = ops.MatMul(transpose_b=True)

    def by_place(self, q, table):
        """Queries of nodes, those along one line of the map behind each other, and a table -> (lines, S, 9)."""
        _, side, _, _, channels = self.shape
        products = self.inner(q.reshape((-1, channels)), table).reshape((-1, side * (side + TAPS - 1)))
        # Of its S + 8 products place p takes those from S - 1 - p on. Among its line's they begin at
        # p (S + 8) + S - 1 - p, as row p does if the first S - 1 are left out and the rest is cut into rows of S + 7.
        return products[:, side - 1 : -1].reshape((-1, side, side + TAPS - 2))[:, :, :TAPS]

    def construct(self, q):
        _, side, _, num_heads, _ = self.shape
        q = q.reshape(self.shape)  # (B, row, column, head, d)
        # The lines of the first are rows of the map, those of the second columns, (B, line, head, place, 9): adding
        # them as they stand is what exchanges r and c.
        logits = self.by_place(q.transpose((0, 1, 3, 2, 4)), self.rel_width)
        logits = logits + self.by_place(q.transpose((0, 2, 3, 1, 4)), self.rel_height)
        return logits.reshape((-1, side, num_heads, side, TAPS)).transpose((0, 1, 3, 2, 4)).reshape((-1, TAPS))


class SampledAttention(nn.Cell):
    """Each head of each node attends to 9 sampled places of the map: (B, N, C) -> (B, N, C)."""

    def __init__(self, channels: int, num_heads: int, side: int, context: LayerContext):
        super().__init__()
        head_channels = channels // num_heads
        self.num_heads = num_heads
        self.qkv = linear(channels, 3 * channels, context)
        self.proj = linear(channels, channels, context)
        self.conv_offset = linear(head_channels, 2 * TAPS, context)
        self.pos_emb = RelativePosition(side, num_heads, head_channels)
        self.sampling = Sampling(side, side, num_heads)
        self.mixture = sampled_mixture(self.sampling, context)
        self.split = ops.Split(1, 3)

    def offsets(self, x):
        """(B, N, C) -> how far each sample lies from its place in the window, rows, then columns (B, N, heads, 18)."""
        num_nodes, channels = x.shape[1:]
        offsets = self.conv_offset(x.reshape((-1, channels // self.num_heads)))  # (R, 18): row, column of each tap
        offsets = offsets.reshape((-1, TAPS, 2)).transpose((0, 2, 1))
        return offsets.reshape((-1, num_nodes, self.num_heads, 2 * TAPS))

    def look(self, x):
        """(B, N, C) -> mixed values (R, d), attention (R, 9)."""
        channels = x.shape[2]
        q, k, v = self.split(self.qkv(x.reshape((-1, channels))))
        width = channels // self.num_heads
        q, k, v = q.reshape((-1, width)), k.reshape((-1, width)), v.reshape((-1, width))
        return self.mixture(q, k, v, self.offsets(x), self.pos_emb(q))

    def construct(self, x):
        num_nodes, channels = x.shape[1:]
        mixed, _ = self.look(x)
        return self.proj(mixed.reshape((-1, channels))).reshape((-1, num_nodes, channels))

    def sampled(self, x):
        """(B, N, C) -> where the nodes look, (row, column) in map pixels (B, heads, N, 9, 2); attention
        (B, heads, N, 9)."""
        attention, num_nodes = self.look(x)[1], x.shape[1]
        positions = self.sampling.positions(self.offsets(x))
        positions = positions.reshape((-1, num_nodes, self.num_heads, 2, TAPS)).transpose((0, 2, 1, 4, 3))
        return positions, attention.reshape((-1, num_nodes, self.num_heads, TAPS)).transpose((0, 2, 1, 3))
