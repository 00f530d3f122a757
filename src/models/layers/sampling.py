"""Attention of nodes to samples between the pixels of a map: positions, the pixels around them, the mixture.

Nothing is interpolated: a node compares itself with, and later mixes, the 4 pixels around each of its 9 samples,
36 rows under bilinear weights. The sums are the same, and no sampled k or v is ever built.

Letters in shape comments: B images, N nodes, M = N * heads rows per image (node by node, one row per head), R = B * M
rows of d channels.
"""

import numpy as np
from mindspore import Tensor, nn, ops
from mindspore import dtype as mstype

TAPS = 9  # a 3 x 3 window: tap 3 * i + j lies i - 1 rows below and j - 1 columns right of its node


class Sampling(nn.Cell):
    """Where the 9 samples of each node lie on an H x W map, and what surrounds them.

    Mixed precision turns float32 into float16 where it enters a cell, a method or a function: positions to 1/32 pixel
    on a map of 56, whose 3136 pixels float16 cannot count either. So positions are made where they are used, and pixels
    are numbered in int32. (PyNative mode casts at every operator, and rounds positions all the same.)
    """

    def __init__(self, height: int, width: int, num_heads: int):
        super().__init__()
        row, column, i, j = np.indices((height, width, 3, 3)).reshape(4, height * width, 1, TAPS)
        window = np.concatenate([row + i - 1, column + j - 1], -1).astype(np.float32)  # (N, 1, 18)
        self.window = Tensor(window)
        self.height, self.width, self.num_heads = height, width, num_heads
        self.head = Tensor(np.arange(num_heads, dtype=np.int32).reshape(num_heads, 1))
        self.floor = ops.Floor()

    def positions(self, offsets):
        """Offsets, 9 rows then 9 columns, (B, N, heads, 18) -> positions in map pixels, in float32."""
        return offsets.astype(mstype.float32) + self.window

    def corners(self, offsets):
        """The 4 pixels around each sample: offsets (B, N, heads, 18) -> their numbers among the image's M rows, int32,
        and their bilinear weights, both (B, N, heads, 36), corner by corner, 9 taps each.

        A pixel outside the map weighs 0 and has no gradient; a position at or beyond one pixel outside has no pixel
        inside.
        """
        positions = self.positions(offsets)
        near = self.floor(positions)
        beyond = positions - near
        row_weights, column_weights = self.crossed(1.0 - beyond, beyond)
        # At exactly -1 the far pixel, 0, is inside the map, but has no gradient in the published network; a position
        # that is not a number must still name pixels. Both go where no pixel is.
        near = ops.select(positions > -1.0, near, ops.full_like(near, -2.0))
        rows, columns = self.crossed(near, near + 1.0)
        row = ops.minimum(ops.maximum(rows, 0.0), self.height - 1.0)
        column = ops.minimum(ops.maximum(columns, 0.0), self.width - 1.0)
        inside = ops.logical_and(rows == row, columns == column).astype(mstype.float32)
        pixels = row.astype(mstype.int32) * self.width + column.astype(mstype.int32)
        return pixels * self.num_heads + self.head, row_weights * column_weights * inside

    def crossed(self, near, far):
        """Values (..., 18) of the near and the far line, 9 rows then 9 columns -> the rows' and the columns' at the 4
        corners, both (..., 36)."""
        near_row, near_column = near[..., :TAPS], near[..., TAPS:]
        far_row, far_column = far[..., :TAPS], far[..., TAPS:]
        rows = ops.concat((near_row, near_row, far_row, far_row), -1)
        return rows, ops.concat((near_column, far_column, near_column, far_column), -1)


class SampledMixture(nn.Cell):
    """Values at the samples of each row, mixed by a softmax over their keys' products with the row's query.

    named_rows: (number, compare, mix), see `nodes.named_rows`.
    """

    def __init__(self, sampling: Sampling, named_rows: tuple[nn.Cell, nn.Cell, nn.Cell]):
        super().__init__()
        self.sampling = sampling
        self.number, self.compare, self.mix = named_rows

    def corners(self, offsets):
        """Offsets (B, N, heads, 18) -> bilinear weights (R, 4, 9), and the corners' numbers for `compare` and `mix`."""
        pixels, weights = self.sampling.corners(offsets)
        return weights.reshape((-1, 4, TAPS)), self.number(pixels)

    def construct(self, q, k, v, offsets, place_logits):
        """q, k, v (R, d), offsets (B, N, heads, 18), addends of the logits (R, 9) -> mixed (R, d), attention (R, 9).

        The attention is for looking at: it need not have a gradient.
        """
        weights, corners = self.corners(offsets)
        products = self.compare(q, k, *corners).reshape((-1, 4, TAPS))
        logits = q.shape[1] ** -0.5 * (products * weights).sum(1) + place_logits
        attention = ops.softmax(logits, -1)
        weights = (weights * attention.reshape((-1, 1, TAPS))).reshape((-1, 4 * TAPS))
        return self.mix(weights, v, *corners), attention
