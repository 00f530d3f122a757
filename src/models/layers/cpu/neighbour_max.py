"""The largest value among a node's neighbours with a backward pass that keeps little, for the CPU.

Letters in shape comments as in `layers/nodes.py`; Q = B * N.
"""

from mindspore import dtype as mstype
from mindspore import nn, ops
from mindspore.ops.auto_generate import ReluGrad


class RowMax(nn.Cell):
    """(R, C) rows, (Q, K) row numbers -> (Q, C): the largest of the K named rows, each channel for itself.

    Its own backward pass finds the winners again, so that nothing of size Q K C is kept from the forward pass; among
    equal ones the first takes the gradient.
    """

    def __init__(self, k: int):
        super().__init__()
        self.gather = ops.Gather()
        self.split = ops.Split(0, k)
        self.where_positive = ReluGrad()  # a fifth of the time of a Select
        self.scatter_add = ops.UnsortedSegmentSum()

    def construct(self, rows, numbers):
        named = self.split(self.gather(rows, numbers.T.reshape((-1,)), 0))  # K times (Q, C)
        largest = named[0]
        for values in named[1:]:
            largest = ops.maximum(largest, values)
        return largest

    def bprop(self, rows, numbers, out, dout):
        order = numbers.T.reshape((-1,))
        unclaimed = dout
        shares = ()
        for values in self.split(self.gather(rows, order, 0)):
            rest = self.where_positive(unclaimed, out - values)
            shares = shares + (unclaimed - rest,)
            unclaimed = rest
        return self.scatter_add(ops.concat(shares, 0), order, rows.shape[0]), ops.zeros_like(numbers)


class CpuNeighbourMax(nn.Cell):
    """(B, M, C) key nodes, (B, N, K) neighbours -> (B, N, C): largest value of each channel among the neighbours."""

    def __init__(self, num_neighbours: int):
        super().__init__()
        self.row_max = RowMax(num_neighbours)

    def construct(self, keys, neighbours):
        batch, num_keys, channels = keys.shape
        first_row = ops.arange(batch).astype(mstype.int32).reshape((batch, 1, 1)) * num_keys
        numbers = (neighbours + first_row).reshape((-1, neighbours.shape[2]))  # (B * N, K)
        return self.row_max(keys.reshape((-1, channels)), numbers).reshape((batch, -1, channels))
