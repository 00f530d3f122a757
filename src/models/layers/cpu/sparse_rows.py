"""Comparison and mixture of named rows as sparse products, for the CPU.

Letters in shape comments as in `layers/nodes.py`.
"""

from mindspore import dtype as mstype
from mindspore import nn, ops

from ..nodes import Comparison, NamedRows, RowNumbers


class SparseRowNumbers(nn.Cell):
    """Row numbers within an image (B, N, heads, J) -> (those within the batch (R, J), places (R, J, 2)).

    The places are those of a sparse (R, T) matrix's entries: (naming row, named row).
    """

    def __init__(self):
        super().__init__()
        self.number = RowNumbers()

    def construct(self, named):
        (numbers,) = self.number(named)
        naming = ops.arange(numbers.shape[0]).astype(mstype.int32).reshape((-1, 1))
        return numbers, ops.stack((ops.broadcast_to(naming, numbers.shape), numbers), -1)


class SparseProduct(nn.Cell):
    """A sparse matrix, or its transpose, times a table: weights (R, J), places (R, J, 2), T, (T, d) -> (R, d).

    The matrix (R, T) has the weights at the places; its transpose takes a table (R, d) to (T, d).

    The framework's kernel walks over the entries once, in order: nothing of size R J d is built, and results repeat.
    """

    def __init__(self, *, transposed: bool):
        super().__init__()
        self.multiply = ops.SparseTensorDenseMatmul(adjoint_st=transposed)

    def construct(self, weights, places, num_columns, table):
        shape = (places.shape[0], num_columns)
        return self.multiply(places.reshape((-1, 2)), weights.reshape((-1,)), shape, table)


class SparseComparison(nn.Cell):
    """Comparison with a backward pass of sparse products: (R, d), (T, d), (R, J), (R, J, 2) -> (R, J)."""

    def __init__(self):
        super().__init__()
        self.compare = Comparison(NamedRows())
        self.mix = SparseProduct(transposed=False)
        self.spread = SparseProduct(transposed=True)

    def construct(self, queries, table, numbers, places):
        return self.compare(queries, table, numbers)

    def bprop(self, queries, table, numbers, places, out, dout):
        dqueries = self.mix(dout, places, table.shape[0], table)
        dtable = self.spread(dout, places, table.shape[0], queries)
        return dqueries, dtable, ops.zeros_like(numbers), ops.zeros_like(places)


class SparseMixture(nn.Cell):
    """Mixture as a sparse product: (R, J), (T, d), (R, J), (R, J, 2) -> (R, d)."""

    def __init__(self):
        super().__init__()
        self.compare = Comparison(NamedRows())
        self.mix = SparseProduct(transposed=False)
        self.spread = SparseProduct(transposed=True)

    def construct(self, weights, table, numbers, places):
        return self.mix(weights, places, table.shape[0], table)

    def bprop(self, weights, table, numbers, places, out, dout):
        dweights = self.compare(dout, table, numbers)
        dtable = self.spread(weights, places, table.shape[0], dout)
        return dweights, dtable, ops.zeros_like(numbers), ops.zeros_like(places)
