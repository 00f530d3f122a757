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


def nodes_of(x):
    """(B, C, H, W) -> (B, H * W, C). No shape names B, here and below: an exported network takes any batch."""
    _, channels, height, width = x.shape
    return x.reshape((-1, channels, height * width)).transpose((0, 2, 1))


def map_of(nodes, side):
    """(B, S * S, C) -> (B, C, S, S)."""
    return nodes.transpose((0, 2, 1)).reshape((-1, nodes.shape[2], side, side))


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
