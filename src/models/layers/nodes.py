"""Nodes of a graph on a map, and what they take from others: the standard formulations.

Letters in shape comments: B images, C channels, N nodes, M key nodes, K neighbours of a node. In the second half a node
is a row for each head: R = B * N * heads rows, J rows named by each, T rows of a table, d channels of a head.
"""

from mindspore import dtype as mstype
from mindspore import nn, ops


def check_sides(x, side):
    """ValueError for images (B, 3, H, W) of another size than the network's, whose tables have one entry per node."""
    if x.shape[2] != side or x.shape[3] != side:
        raise ValueError(
            "this network takes square images of the size that it was built for: "
            "give create_model the image_size of your images, or resize them"
        )


def swapped(x):
    """(B, M, N) -> (B, N, M)."""
    return x.transpose((0, 2, 1))


class SwappedAxes(nn.Cell):
    """`swapped` as a layer, which some devices have another formulation of."""

    def construct(self, x):
        return swapped(x)


def nodes_of(x, swap=swapped):
    """(B, C, H, W) -> (B, H * W, C). No shape names B, here and below: an exported network takes any batch."""
    _, channels, height, width = x.shape
    return swap(x.reshape((-1, channels, height * width)))


def map_of(nodes, side, swap=swapped):
    """(B, S * S, C) -> (B, C, S, S)."""
    return swap(nodes).reshape((-1, nodes.shape[2], side, side))


class GeluTokens(nn.Cell):
    """tanh-GELU of the sum of two maps (B, C, S, S) -> tokens (B, S * S, C), the groups' one behind the other.

    shape, axes: the map's tokens, row by row, taken as an array of this shape, and its axes in the order of the groups.
    """

    def __init__(self, shape: tuple[int, ...], axes: tuple[int, ...], gelu: nn.Cell, row_transpose: nn.Cell):
        super().__init__()
        self.shape, self.axes = shape, axes
        self.gelu, self.row_transpose = gelu, row_transpose

    def construct(self, x, y):
        return self.row_transpose(nodes_of(self.gelu(x + y)), self.shape, self.axes)


class NeighbourMax(nn.Cell):
    """(B, M, C) key nodes, (B, N, K) neighbours -> (B, N, C): largest value of each channel among the neighbours."""

    def __init__(self, num_neighbours: int):
        super().__init__()
        self.num_neighbours = num_neighbours

    def construct(self, keys, neighbours):
        batch, num_keys, channels = keys.shape
        first_row = ops.arange(batch).astype(mstype.int32).reshape((batch, 1, 1)) * num_keys
        gathered = ops.gather(keys.reshape((-1, channels)), neighbours + first_row, 0)  # (B, N, K, C)
        return ops.amax(gathered, 2)


class MaxRelative(nn.Cell):
    """A map's nodes, and how far the largest of their neighbours exceed them, side by side.

    neighbour_max: cell like NeighbourMax.
    interleave: [x_0, m_0, x_1, m_1, ...], else [x, m].
    """

    def __init__(self, neighbour_max: nn.Cell, *, interleave: bool):
        super().__init__()
        self.neighbour_max = neighbour_max
        self.interleave = interleave

    def construct(self, x, keys, neighbours):
        """(B, C, H, W), (B, M, C) key nodes, (B, N, K) neighbours -> (B, 2C, H, W)."""
        _, channels, height, width = x.shape
        largest = self.neighbour_max(keys, neighbours)  # (B, N, C)
        # max_j(y_j - x_i) = max_j(y_j) - x_i, exactly: rounding is monotone.
        relative = largest.transpose((0, 2, 1)).reshape((-1, channels, height, width)) - x
        if self.interleave:
            return ops.stack((x, relative), 2).reshape((-1, 2 * channels, height, width))
        return ops.concat((x, relative), 1)


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


class RowNumbers(nn.Cell):
    """Row numbers within an image (B, N, heads, J) -> (those within the whole batch (R, J),)."""

    def construct(self, named):
        batch, num_nodes, num_heads, num_named = named.shape
        first = ops.arange(batch).astype(mstype.int32).reshape((batch, 1, 1, 1)) * (num_nodes * num_heads)
        return ((named + first).reshape((-1, num_named)),)


class NamedRows(nn.Cell):
    """Rows of a table by their numbers: (T, d), (R, J) -> (R, J, d)."""

    def __init__(self):
        super().__init__()
        self.gather = ops.Gather()

    def construct(self, table, numbers):
        return self.gather(table, numbers, 0)


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


def named_rows(_num_nodes: int) -> tuple[nn.Cell, nn.Cell, nn.Cell]:
    """(number, compare, mix): RowNumbers, Comparison, Mixture.

    `number` returns a tuple; `compare` and `mix` take its elements as their last arguments.
    """
    return RowNumbers(), Comparison(NamedRows()), Mixture(NamedRows())
