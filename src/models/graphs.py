"""Records in which a network tells of its graphs, in no drawing's and no family's terms.

Places and sizes are shares of the image's height and width, so that layers of any resolution can be laid over it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from mindspore import nn

Box = tuple[float, float, float, float]  # top, left, height, width


@dataclass(frozen=True)
class Links:
    """What one node is connected with in one layer.

    Attributes:
        points: (P, 3) row, column and weight, 0..1, of each place that it looks at.
        weights: (H, W) weight of each cell of a grid over the image; NaN: not looked at. None: there is no grid.
        frames: boxes within which it looks.
    """

    points: np.ndarray = field(default_factory=lambda: np.zeros((0, 3)))
    weights: np.ndarray | None = None
    frames: Sequence[Box] = ()


@dataclass(frozen=True)
class LinkedLayer:
    """A layer that connects nodes.

    Attributes:
        title: two lines of text.
        side: its nodes are side * side, numbered row by row.
        links: for each kind of connection (a text, empty where there is one kind only): node number -> its links.
    """

    title: str
    side: int
    links: Mapping[str, Callable[[int], Links]]


@dataclass(frozen=True)
class Graphs:
    """How the networks of a family tell of their graphs.

    Attributes:
        method: of the network, called with a batch (B, 3, S, S); it returns tensors in (nested) tuples.
        layers: (the network, what the method returned for one image, as arrays) -> the layers that connect nodes.
        legend: what is seen of the links, for a reader of the drawing. It marks the node by a white frame, points by
            dots, weights by shade and frames by lines.
    """

    method: str
    layers: Callable[[nn.Cell, Sequence[Any]], list[LinkedLayer]]
    legend: str


def node_box(node: int, side: int) -> Box:
    """The node's own patch of the image."""
    row, column = divmod(int(node), side)
    return row / side, column / side, 1 / side, 1 / side


def node_centres(nodes: np.ndarray, side: int) -> np.ndarray:
    """(K,) node numbers -> (K, 2) row and column of their centres."""
    return (np.stack(np.divmod(nodes, side), 1) + 0.5) / side
