"""Comparison and mixture of named rows for the CPU: small maps compute all pairs of nodes and pick the named ones.

Few of the products are used, but they run at full speed, and on all cores; gathering rows and the sparse product don't.
On one core they take half the time at 14 x 14 nodes, the same at 28 x 28; on two, where gathering uses one, a training
step of dgmn2_tiny with 28 x 28 among them takes 0.975 of the time. Letters in shape comments as in `layers/nodes.py`.
"""

from mindspore import nn, ops
from mindspore.ops.auto_generate import GatherDGradV2

from .sparse_rows import SparseComparison, SparseMixture, SparseRowNumbers

LARGEST_MAP = 28 * 28  # nodes


class DenseRowNumbers(nn.Cell):
    """Row numbers within an image, (B, N, heads, J) -> (their nodes (B, heads, N, J),); rows name their head's."""

    def construct(self, named):
        return ((named // named.shape[2]).transpose((0, 2, 1, 3)),)


def by_head(rows, nodes):
    """(B * N * heads, n) -> (B, heads, N, n)."""
    batch, num_heads = nodes.shape[:2]
    return rows.reshape((batch, -1, num_heads, rows.shape[1])).transpose((0, 2, 1, 3))


def by_node(values):
    """(B, heads, N, n) -> (B * N * heads, n)."""
    return values.transpose((0, 2, 1, 3)).reshape((-1, values.shape[3]))


class DenseComparison(nn.Cell):
    """Products of each query with the nodes that it names: (R, d), (T, d), nodes -> (R, J)."""

    def __init__(self):
        super().__init__()
        self.inner = ops.BatchMatMul(transpose_b=True)

    def construct(self, queries, table, nodes):
        products = self.inner(by_head(queries, nodes), by_head(table, nodes))  # (B, heads, N, N)
        return by_node(ops.gather_d(products, 3, nodes))


class Spread(nn.Cell):
    """Weights of the named nodes (B, heads, N, J) -> of all nodes (B, heads, N, N): the transpose of gather_d."""

    def __init__(self, num_nodes: int):
        super().__init__()
        self.num_nodes = num_nodes
        self.scatter_add = GatherDGradV2()

    def construct(self, weights, nodes):
        everywhere = ops.zeros(nodes.shape[:3] + (self.num_nodes,), weights.dtype)
        return self.scatter_add(everywhere, 3, nodes, weights)

    def bprop(self, weights, nodes, out, dout):
        return ops.gather_d(dout, 3, nodes), ops.zeros_like(nodes)


class DenseMixture(nn.Cell):
    """Sums of the named nodes by their weights: (R, J), (T, d), nodes -> (R, d)."""

    def __init__(self, num_nodes: int):
        super().__init__()
        self.spread = Spread(num_nodes)
        self.sum = ops.BatchMatMul()

    def construct(self, weights, table, nodes):
        weights = self.spread(by_head(weights, nodes), nodes)
        return by_node(self.sum(weights, by_head(table, nodes)))


def named_rows(num_nodes: int) -> tuple[nn.Cell, nn.Cell, nn.Cell]:
    """(number, compare, mix) cells for a map of `num_nodes` nodes."""
    if num_nodes > LARGEST_MAP:
        return SparseRowNumbers(), SparseComparison(), SparseMixture()
    return DenseRowNumbers(), DenseComparison(), DenseMixture(num_nodes)
