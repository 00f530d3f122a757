"""Exportable graph operations: rows are gathered along the node axis, so that the batch size is in no shape.

Letters in shape comments as in `layers/nodes.py`.
"""

from mindspore import nn, ops

from ..nodes import Comparison, Mixture


class NeighbourMax(nn.Cell):
    """(B, M, C) key nodes, (B, N, K) neighbours -> (B, N, C): largest value of each channel among the neighbours."""

    def __init__(self, num_neighbours: int):
        super().__init__()
        self.num_neighbours = num_neighbours

    def construct(self, keys, neighbours):
        num_nodes, channels = neighbours.shape[1], keys.shape[2]
        numbers = ops.tile(neighbours.reshape((-1, num_nodes * self.num_neighbours, 1)), (1, 1, channels))
        gathered = ops.gather_d(keys, 1, numbers).reshape((-1, num_nodes, self.num_neighbours, channels))
        return ops.amax(gathered, 2)


class RowNumbers(nn.Cell):
    """Row numbers within an image (B, N, heads, J) -> (the same (B, N * heads, J),)."""

    def construct(self, named):
        _, num_nodes, num_heads, num_named = named.shape
        return (named.reshape((-1, num_nodes * num_heads, num_named)),)


class NamedRows(nn.Cell):
    """Rows of a table by their numbers within an image: (T, d), (B, N * heads, J) -> (R, J, d)."""

    def construct(self, table, numbers):
        channels = table.shape[1]
        num_rows, num_named = numbers.shape[1:]
        numbers = ops.tile(numbers.reshape((-1, num_rows * num_named, 1)), (1, 1, channels))
        named = ops.gather_d(table.reshape((-1, num_rows, channels)), 1, numbers)
        return named.reshape((-1, num_named, channels))


def named_rows(_num_nodes: int) -> tuple[nn.Cell, nn.Cell, nn.Cell]:
    """(number, compare, mix)"""
    return RowNumbers(), Comparison(NamedRows()), Mixture(NamedRows())
