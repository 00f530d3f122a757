"""The graph operation: find each node's nearest neighbours, then compare it with them (Han et al. 2022, section 3).

Letters in shape comments: B images, N nodes, M key nodes, C channels, K neighbours a node.
"""

from mindspore import dtype as mstype
from mindspore import nn, ops
from mindspore.ops.auto_generate import ReluGrad

from ..layers import LayerContext


def node_rows(x):
    """(B, C, H, W) -> (B, H * W, C)."""
    _, channels, height, width = x.shape
    return x.reshape((-1, channels, height * width)).transpose((0, 2, 1))


class NearestNeighbours(nn.Cell):
    """Indices of every `dilation`-th of the nearest key nodes, nearest first, in float32 and without gradient.

    num_candidates: how many of the nearest are looked at, that is, K = ceil(num_candidates / dilation).
    normalize: compare directions, each vector divided by its length.
    """

    def __init__(self, num_candidates: int, dilation: int, *, normalize: bool):
        super().__init__()
        self.num_candidates = num_candidates
        self.dilation = dilation
        self.normalize = normalize
        self.inner = ops.BatchMatMul(transpose_b=True)
        self.top_k = ops.TopK(sorted=True)

    def construct(self, nodes, keys, relative_pos=None):
        """(B, N, C), (B, M, C), optional (1, N, M) added to the squared distance -> (B, N, K) int32."""
        nodes = self.directions(nodes)
        keys = self.directions(keys)
        # -|n - k|^2 less the node's own |n|^2, which doesn't change the order of its keys.
        squares = (keys * keys).sum(-1, keepdims=True).transpose((0, 2, 1))  # (B, 1, M)
        closeness = 2.0 * self.inner(nodes, keys) - squares  # (B, N, M)
        if relative_pos is not None:
            closeness = closeness - relative_pos.astype(mstype.float32)
        _, nearest = self.top_k(closeness, self.num_candidates)
        return nearest[:, :, :: self.dilation]

    def directions(self, x):
        x = ops.stop_gradient(x).astype(mstype.float32)
        if not self.normalize:
            return x
        length = ops.sqrt((x * x).sum(-1, keepdims=True))
        return x / ops.maximum(length, 1e-12)


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


class NeighbourMax(nn.Cell):
    """(B, M, C) key nodes, (B, N, K) neighbours -> (B, N, C): largest value of each channel among the neighbours."""

    def __init__(self, k: int):
        super().__init__()
        self.row_max = RowMax(k)

    def construct(self, keys, neighbours):
        batch, num_keys, channels = keys.shape
        first_row = ops.arange(batch).astype(mstype.int32).reshape((batch, 1, 1)) * num_keys
        numbers = (neighbours + first_row).reshape((-1, neighbours.shape[2]))  # (B * N, K)
        return self.row_max(keys.reshape((-1, channels)), numbers).reshape((batch, -1, channels))


class ExportNeighbourMax(nn.Cell):
    """NeighbourMax without the batch size in the graph, by gathering along the node axis."""

    def construct(self, keys, neighbours):
        columns = [ops.tile(neighbours[:, :, k : k + 1], (1, 1, keys.shape[2])) for k in range(neighbours.shape[2])]
        largest = ops.gather_d(keys, 1, columns[0])
        for column in columns[1:]:
            largest = ops.maximum(largest, ops.gather_d(keys, 1, column))
        return largest


class StandardNeighbourMax(nn.Cell):
    """NeighbourMax by the framework's own operators, for accelerators."""

    def construct(self, keys, neighbours):
        batch, num_keys, channels = keys.shape
        first_row = ops.arange(batch).astype(mstype.int32).reshape((batch, 1, 1)) * num_keys
        gathered = ops.gather(keys.reshape((-1, channels)), neighbours + first_row, 0)  # (B, N, K, C)
        return ops.amax(gathered, 2)


def neighbour_max(k: int, context: LayerContext) -> nn.Cell:
    """NeighbourMax over k neighbours, as it is best done on the given device."""
    if context.exporting:
        return ExportNeighbourMax()
    return NeighbourMax(k) if context.device == "CPU" else StandardNeighbourMax()
