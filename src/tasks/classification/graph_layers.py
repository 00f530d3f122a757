"""From what a network tells of its graphs to what a node looks at: one translation for each kind of graph.

Letters in shape comments: B images (1 here), N nodes, K neighbours, G groups, T tokens a group, P samples.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isqrt

import numpy as np
from mindspore import nn

from src.visualization import Look
from src.visualization.graph import Box


@dataclass(frozen=True)
class Layer:
    """A layer that connects nodes.

    Attributes:
        title: two lines of text.
        side: its nodes are side * side, numbered row by row.
        looks: for each kind of connection (a text, empty where there is one kind only): node number -> what it sees.
    """

    title: str
    side: int
    looks: dict[str, Callable[[int], Look]]


def neighbour_layers(network: nn.Cell, found: Sequence[np.ndarray]) -> list[Layer]:
    """ViG and Pyramid ViG: found are (B, N, K) numbers of key nodes, by layer; all of them count the same."""

    def look(side: int, key_side: int, neighbours: np.ndarray) -> Callable[[int], Look]:
        def of(node: int) -> Look:
            chosen = neighbours[node]
            points = np.column_stack([_centres(chosen, key_side), np.ones(len(chosen))])
            shade = np.full(key_side * key_side, np.nan)
            shade[chosen] = 1.0
            return Look(_box(node, side), points, shade.reshape(key_side, key_side))

        return of

    return [
        Layer(
            f"layer {number}: {layer.side} x {layer.side} nodes\n"
            f"{layer.num_neighbours} of {layer.key_side**2}, dilation {layer.dilation}",
            layer.side,
            {"": look(layer.side, layer.key_side, neighbours[0])},
        )
        for number, (layer, neighbours) in enumerate(zip(network.graph_layers, found, strict=True), start=1)
    ]


def attention_layers(network: nn.Cell, found: Sequence[Sequence[np.ndarray]]) -> list[Layer]:
    """HLG: found are, by block, weights (B, G, heads, T, T) within groups and (B, heads, N, G) of the groups' means.

    The last blocks have the first only, with the class token in front. Weights are averaged over the heads.
    """
    layers = []
    for number, (groups, weights) in enumerate(zip(network.groups, found, strict=True), start=1):
        side = isqrt(groups.size)
        local = weights[0][0].mean(1)  # (G, T, T)
        looks = {"in its group": _group_look(side, groups, local[:, -groups.shape[1] :, -groups.shape[1] :])}
        if len(weights) > 1:
            looks["at group means"] = _means_look(side, groups, weights[1][0].mean(0))
        layers.append(Layer(f"block {number}: {side} x {side} tokens\n{_describe(groups, side)}", side, looks))
    return layers


def _group_look(side: int, groups: np.ndarray, weights: np.ndarray) -> Callable[[int], Look]:
    """(G, T) tokens, (G, T, T) weights."""

    def look(node: int) -> Look:
        ((group, place),) = np.argwhere(groups == node)
        shade = np.full(side * side, np.nan)
        shade[groups[group]] = weights[group, place]
        window = _window(groups[group], side) if len(groups) > 1 else None
        return Look(_box(node, side), shade=shade.reshape(side, side), outlines=[window] if window else [])

    return look


def _means_look(side: int, groups: np.ndarray, weights: np.ndarray) -> Callable[[int], Look]:
    """(G, T) tokens, (N, G) weights: each token is shaded with the weight of its group's mean."""

    def look(node: int) -> Look:
        shade = np.empty(side * side)
        shade[groups] = weights[node][:, None]
        return Look(_box(node, side), shade=shade.reshape(side, side))

    return look


def _describe(groups: np.ndarray, side: int) -> str:
    if len(groups) == 1:
        return "attention to all"
    return f"{'windows' if _window(groups[0], side) else 'dilated groups'} of {groups.shape[1]}"


def _window(group: np.ndarray, side: int) -> Box | None:
    """The box around a group of tokens, if nothing else is in it."""
    rows, columns = np.divmod(group, side)
    height, width = np.ptp(rows) + 1, np.ptp(columns) + 1
    if height * width > group.size:
        return None
    return rows.min() / side, columns.min() / side, height / side, width / side


def sample_layers(_network: nn.Cell, found: Sequence[tuple[np.ndarray, np.ndarray]]) -> list[Layer]:
    """DGMN2: found are, by block, positions (B, heads, N, P, 2), row and column in pixels of the map, and their
    attention (B, heads, N, P). The samples of all heads are shown; those outside the map count as zero and are not."""

    def look(side: int, positions: np.ndarray, attention: np.ndarray) -> Callable[[int], Look]:
        def of(node: int) -> Look:
            shares = (positions[:, node].reshape(-1, 2) + 0.5) / side  # of all heads
            points = np.column_stack([shares, attention[:, node].reshape(-1)])
            inside = ((shares > 0) & (shares < 1)).all(1)
            return Look(_box(node, side), points[inside])

        return of

    layers = []
    for number, (positions, attention) in enumerate(found, start=1):
        num_heads, num_nodes, num_samples = attention.shape[1:]
        side = isqrt(num_nodes)
        title = f"block {number}: {side} x {side} nodes\n{num_samples} samples x {num_heads} heads"
        layers.append(Layer(title, side, {"": look(side, positions[0], attention[0])}))
    return layers


def _box(node: int, side: int) -> Box:
    row, column = divmod(int(node), side)
    return row / side, column / side, 1 / side, 1 / side


def _centres(nodes: np.ndarray, side: int) -> np.ndarray:
    """(K,) node numbers -> (K, 2) row and column of their centres, as shares."""
    return (np.stack(np.divmod(nodes, side), 1) + 0.5) / side
