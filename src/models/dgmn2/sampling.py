"""Reading a map between its pixels: where the samples lie, and sums over the pixels around them.

Nothing is interpolated: a node compares itself with, and later mixes, the 4 pixels around each of its 9 samples,
36 rows under bilinear weights. The sums are the same, and no sampled k or v is ever built.

Letters in shape comments: B images, M = N * heads rows an image (node by node, a row for each head), T rows of a table,
J rows named by each (36 here), d channels of a head.
"""

import numpy as np
from mindspore import Tensor, nn, ops
from mindspore import dtype as mstype

from ..layers import LayerContext
from .dense_sampling import LARGEST_MAP, DenseComparison, DenseMixture, DenseRowNumbers

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
        """Values of the near and the far line, rows then columns -> the rows' and the columns' at the 4 corners."""
        near_row, near_column = near[..., :TAPS], near[..., TAPS:]
        far_row, far_column = far[..., :TAPS], far[..., TAPS:]
        rows = ops.concat((near_row, near_row, far_row, far_row), -1)
        return rows, ops.concat((near_column, far_column, near_column, far_column), -1)


class RowNumbers(nn.Cell):
    """Row numbers within an image (B, N, heads, J) -> (those within the whole batch (R, J),)."""

    def construct(self, pixels):
        batch, num_nodes, num_heads, num_named = pixels.shape
        first = ops.arange(batch).astype(mstype.int32).reshape((batch, 1, 1, 1)) * (num_nodes * num_heads)
        return ((pixels + first).reshape((-1, num_named)),)


class RowGather(nn.Cell):
    """The rows (R, J, d) of a table (T, d) that are named by numbers (R, J)."""

    def __init__(self):
        super().__init__()
        self.gather = ops.Gather()

    def construct(self, table, numbers):
        return self.gather(table, numbers, 0)


class ExportRowNumbers(nn.Cell):
    """Keeps the numbers within an image, (B, N, heads, J) -> ((B, M, J),): the batch size must not enter the graph."""

    def construct(self, pixels):
        _, num_nodes, num_heads, num_named = pixels.shape
        return (pixels.reshape((-1, num_nodes * num_heads, num_named)),)


class ExportRowGather(nn.Cell):
    """RowGather for numbers within an image, (B * M, d) and (B, M, J) -> (B * M, J, d)."""

    def construct(self, table, numbers):
        channels = table.shape[1]
        num_rows, num_named = numbers.shape[1:]
        numbers = ops.tile(numbers.reshape((-1, num_rows * num_named, 1)), (1, 1, channels))
        named = ops.gather_d(table.reshape((-1, num_rows, channels)), 1, numbers)
        return named.reshape((-1, num_named, channels))


class Comparison(nn.Cell):
    """Products of each query with the rows that it names: (R, d), (T, d), numbers -> (R, J)."""

    def __init__(self, gather: nn.Cell):
        super().__init__()
        self.gather = gather
        self.inner = ops.BatchMatMul()

    def construct(self, queries, table, numbers):
        named = self.gather(table, numbers)  # (R, J, d)
        return self.inner(named, queries.reshape((-1, queries.shape[1], 1))).reshape((-1, named.shape[1]))


class Mixture(nn.Cell):
    """Sums of the named rows by their weights: (R, J), (T, d), numbers -> (R, d)."""

    def __init__(self, gather: nn.Cell):
        super().__init__()
        self.gather = gather
        self.sum = ops.BatchMatMul()

    def construct(self, weights, table, numbers):
        weights = weights.reshape((-1, 1, weights.shape[1]))
        return self.sum(weights, self.gather(table, numbers)).reshape((-1, table.shape[1]))


class SparseRowNumbers(nn.Cell):
    """RowNumbers, and the places (R, J, 2) = (naming row, named row) of a sparse (R, T) matrix's entries."""

    def __init__(self):
        super().__init__()
        self.number = RowNumbers()

    def construct(self, pixels):
        (numbers,) = self.number(pixels)
        naming = ops.arange(numbers.shape[0]).astype(mstype.int32).reshape((-1, 1))
        return numbers, ops.stack((ops.broadcast_to(naming, numbers.shape), numbers), -1)


class SparseProduct(nn.Cell):
    """The sparse (R, T) matrix with weights (R, J) at places (R, J, 2), or its transpose, times a table of rows.

    The framework's kernel walks over the entries once, in order: nothing of size R J d is built, and results repeat.
    """

    def __init__(self, *, transposed: bool):
        super().__init__()
        self.multiply = ops.SparseTensorDenseMatmul(adjoint_st=transposed)

    def construct(self, weights, places, num_columns, table):
        shape = (places.shape[0], num_columns)
        return self.multiply(places.reshape((-1, 2)), weights.reshape((-1,)), shape, table)


class SparseComparison(nn.Cell):
    """Comparison with a backward pass of sparse products, for the CPU."""

    def __init__(self):
        super().__init__()
        self.compare = Comparison(RowGather())
        self.mix = SparseProduct(transposed=False)
        self.spread = SparseProduct(transposed=True)

    def construct(self, queries, table, numbers, places):
        return self.compare(queries, table, numbers)

    def bprop(self, queries, table, numbers, places, out, dout):
        dqueries = self.mix(dout, places, table.shape[0], table)
        dtable = self.spread(dout, places, table.shape[0], queries)
        return dqueries, dtable, ops.zeros_like(numbers), ops.zeros_like(places)


class SparseMixture(nn.Cell):
    """Mixture as a sparse product, for the CPU."""

    def __init__(self):
        super().__init__()
        self.compare = Comparison(RowGather())
        self.mix = SparseProduct(transposed=False)
        self.spread = SparseProduct(transposed=True)

    def construct(self, weights, table, numbers, places):
        return self.mix(weights, places, table.shape[0], table)

    def bprop(self, weights, table, numbers, places, out, dout):
        dweights = self.compare(dout, table, numbers)
        dtable = self.spread(weights, places, table.shape[0], dout)
        return dweights, dtable, ops.zeros_like(numbers), ops.zeros_like(places)


def row_sampling(context: LayerContext, num_nodes: int) -> tuple[nn.Cell, nn.Cell, nn.Cell]:
    """(number, compare, mix) for the given device and map: RowNumbers, Comparison, Mixture, or what stands for them.

    `number` returns a tuple; `compare` and `mix` take its elements as their last arguments.
    """
    if context.exporting:
        return ExportRowNumbers(), Comparison(ExportRowGather()), Mixture(ExportRowGather())
    if context.device == "CPU" and num_nodes <= LARGEST_MAP:
        return DenseRowNumbers(), DenseComparison(), DenseMixture(num_nodes)
    if context.device == "CPU":
        return SparseRowNumbers(), SparseComparison(), SparseMixture()
    return RowNumbers(), Comparison(RowGather()), Mixture(RowGather())
