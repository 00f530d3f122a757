"""ViG's graphs for a drawing: every node's neighbours, layer by layer."""

from collections.abc import Callable, Sequence

import numpy as np
from mindspore import nn

from ..graphs import Graphs, LinkedLayer, Links, node_centres


def neighbour_layers(network: nn.Cell, found: Sequence[np.ndarray]) -> list[LinkedLayer]:
    """Found are (B, N, K) numbers of key nodes, by layer; all of them count the same."""
    return [
        LinkedLayer(
            f"layer {number}: {layer.side} x {layer.side} nodes\n"
            f"{layer.num_neighbours} of {layer.key_side**2}, dilation {layer.dilation}",
            layer.side,
            {"": _neighbour_links(layer.key_side, neighbours[0])},
        )
        for number, (layer, neighbours) in enumerate(zip(network.graph_layers, found, strict=True), start=1)
    ]


def _neighbour_links(key_side: int, neighbours: np.ndarray) -> Callable[[int], Links]:
    """(N, K) numbers of key nodes."""

    def links(node: int) -> Links:
        chosen = neighbours[node]
        weights = np.full(key_side * key_side, np.nan)
        weights[chosen] = 1.0
        points = np.column_stack([node_centres(chosen, key_side), np.ones(len(chosen))])
        return Links(points, weights.reshape(key_side, key_side))

    return links


GRAPHS = Graphs(
    method="neighbours",
    layers=neighbour_layers,
    legend="White frame: the node. Dots: its neighbours, found by their features; all count the same. Shaded: the "
    "patches that they stand for. 9 of 64: 9 neighbours among 64 candidates; dilation 2: every second of the nearest.",
)
