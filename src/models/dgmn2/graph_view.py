"""DGMN2's graphs for a drawing: the places that every node samples, block by block."""

from collections.abc import Callable, Sequence
from math import isqrt

import numpy as np
from mindspore import nn

from ..graphs import Graphs, LinkedLayer, Links


def sample_layers(_network: nn.Cell, found: Sequence[tuple[np.ndarray, np.ndarray]]) -> list[LinkedLayer]:
    """Found are, by block, positions (B, heads, N, P, 2), row and column in pixels of the map, and their attention
    (B, heads, N, P). The samples of all heads are linked; those outside the map count as zero and are not."""
    layers = []
    for number, (positions, attention) in enumerate(found, start=1):
        num_heads, num_nodes, num_samples = attention.shape[1:]
        side = isqrt(num_nodes)
        title = f"block {number}: {side} x {side} nodes\n{num_samples} samples x {num_heads} heads"
        layers.append(LinkedLayer(title, side, {"": _sample_links(side, positions[0], attention[0])}))
    return layers


def _sample_links(side: int, positions: np.ndarray, attention: np.ndarray) -> Callable[[int], Links]:
    """(heads, N, P, 2) positions, (heads, N, P) attention."""

    def links(node: int) -> Links:
        places = (positions[:, node].reshape(-1, 2) + 0.5) / side  # of all heads
        inside = ((places > 0) & (places < 1)).all(1)
        return Links(np.column_stack([places, attention[:, node].reshape(-1)])[inside])

    return links


GRAPHS = Graphs(
    method="sampled_positions",
    layers=sample_layers,
    legend="White frame: the node. Dots: the positions that it samples, the larger the more attention.",
)
