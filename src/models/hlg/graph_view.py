"""HLG's graphs for a drawing: every token's attention in its group and to the groups' means, block by block.

Letters in shape comments: B images (1 here), N tokens, G groups, T tokens of a group.
"""

from collections.abc import Callable, Sequence
from math import isqrt

import numpy as np
from mindspore import nn

from ..graphs import Box, Graphs, LinkedLayer, Links


def attention_layers(network: nn.Cell, found: Sequence[Sequence[np.ndarray]]) -> list[LinkedLayer]:
    """Found are, by block, weights (B, G, heads, T, T) within groups and (B, heads, N, G) of the groups' means.

    The last blocks have the first only, with the class token in front. Weights are averaged over the heads.
    """
    layers = []
    for number, (groups, weights) in enumerate(zip(network.groups, found, strict=True), start=1):
        side = isqrt(groups.size)
        local = weights[0][0].mean(1)  # (G, T, T)
        links = {"in its group": _group_links(side, groups, local[:, -groups.shape[1] :, -groups.shape[1] :])}
        if len(weights) > 1:
            links["at group means"] = _means_links(side, groups, weights[1][0].mean(0))
        layers.append(LinkedLayer(f"block {number}: {side} x {side} tokens\n{_describe(groups, side)}", side, links))
    return layers


def _group_links(side: int, groups: np.ndarray, weights: np.ndarray) -> Callable[[int], Links]:
    """(G, T) tokens, (G, T, T) weights."""

    def links(node: int) -> Links:
        ((group, place),) = np.argwhere(groups == node)
        grid = np.full(side * side, np.nan)
        grid[groups[group]] = weights[group, place]
        window = _window(groups[group], side) if len(groups) > 1 else None
        return Links(weights=grid.reshape(side, side), frames=[window] if window else [])

    return links


def _means_links(side: int, groups: np.ndarray, weights: np.ndarray) -> Callable[[int], Links]:
    """(G, T) tokens, (N, G) weights: each token has the weight of its group's mean."""

    def links(node: int) -> Links:
        grid = np.empty(side * side)
        grid[groups] = weights[node][:, None]
        return Links(weights=grid.reshape(side, side))

    return links


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


GRAPHS = Graphs(
    method="attention",
    layers=attention_layers,
    legend="White frame: the node. Shaded: what it looks at (mean of the heads); medium: an equal share, stronger: "
    "more. In its group: at the tokens of its window (framed) or dilated group; at group means: one mean a group "
    "stands for all its tokens.",
)
