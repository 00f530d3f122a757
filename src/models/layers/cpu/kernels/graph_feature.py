"""Node features and how far their neighbours exceed them, with the winners kept for the backward pass.

Letters in shape comments as in `layers/nodes.py`.
"""

from mindspore import dtype as mstype
from mindspore import nn, ops

from .library import kernel


def _shapes(x, keys, neighbours):
    """[x, max - x]; winners; a tensor for its shape alone, so that the keys need not be kept."""
    return [x[0], 2 * x[1], *x[2:]], [x[0], neighbours[1], x[1]], [keys[1]]


def _types(x, _keys, _neighbours):
    return x, mstype.uint8, mstype.uint8


def _gradient_shapes(_neighbours, winners, num_keys, dboth):
    """dx, dkeys"""
    return [dboth[0], winners[2], *dboth[2:]], [dboth[0], num_keys[0], winners[2]]


def _gradient_types(_neighbours, _winners, _num_keys, dboth):
    return dboth, dboth


class GraphFeatureFunction(nn.Cell):
    """x (B, C, H, W), keys (B, M, C), neighbours (B, N, K) -> [x, max - x] (B, 2C, H, W), and what is kept."""

    def __init__(self, library: str, name: str):
        super().__init__()
        self.forward = kernel(library, name, _shapes, _types)
        self.backward = kernel(library, f"{name}_backward", _gradient_shapes, _gradient_types)

    def construct(self, x, keys, neighbours):
        return self.forward(x, keys, neighbours)

    def bprop(self, x, keys, neighbours, out, dout):
        dx, dkeys = self.backward(neighbours, out[1], out[2], dout[0])
        return dx, dkeys, ops.zeros_like(neighbours)


class KernelMaxRelative(nn.Cell):
    """`nodes.MaxRelative`, called alike; among equal neighbours the first takes the gradient."""

    def __init__(self, library: str, _neighbour_max: nn.Cell, *, interleave: bool):
        super().__init__()
        self.function = GraphFeatureFunction(library, "graph_feature_interleaved" if interleave else "graph_feature")

    def construct(self, x, keys, neighbours):
        return self.function(x, keys, neighbours)[0]
