"""Graph sheets of a trained network: the neighbours or attention of selected nodes in each layer (`--show_graph`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import mindspore as ms
import numpy as np

from src.config import UserError
from src.datasets.pipeline import read_images
from src.datasets.transforms.image import evaluation_transforms
from src.inference.networks import network_info
from src.models import Graphs, LinkedLayer, family_of, list_models, node_box
from src.runtime.device import eagerly
from src.runtime.run_folder import distinct_names
from src.tasks.classification.prediction import TrainedModel
from src.visualization import GraphRow, Look, Prediction, graph_sheet

MAX_COLUMNS = 8
MAX_NODES = 12


def graphs_of(backbone: str) -> Graphs:
    """Access to the graphs of a network; UserError if it builds none."""
    network_info(backbone)
    graphs = family_of(backbone).graphs
    if graphs is None:
        known = sorted({name.split("_")[0] for name in list_models() if family_of(name).graphs})
        raise UserError(f"show_graph: {backbone} builds no graph; networks that do: {', '.join(known)}")
    return graphs


class GraphViewer:
    """Draws the connections between image regions in each graph layer, without changing the network.

    Args:
        model: a trained network.
        backbone: its name.
        nodes: node numbers in the first layer's grid, row by row from 0; empty: three are chosen per image.

    Raises:
        UserError: the network builds no graph, or a node is not in its first layer.
    """

    def __init__(self, model: TrainedModel, backbone: str, nodes: Sequence[int] = ()):
        self._graphs, self._model, self._backbone, self._nodes = graphs_of(backbone), model, backbone, tuple(nodes)
        if len(self._nodes) > MAX_NODES:
            raise UserError(f"nodes has {len(self._nodes)} values: at most {MAX_NODES} fit on a sheet")
        if self._nodes:
            size = model.preprocessing.image_size
            side = self.layers(np.zeros((3, size, size), np.float32))[0].side
            self._check_nodes(side)

    def layers(self, image: np.ndarray) -> list[LinkedLayer]:
        """The layers that connect nodes, for one preprocessed image (3, H, W)."""
        with eagerly():  # compiling would take longer than a few images
            found = getattr(self._model.network, self._graphs.method)(ms.Tensor(image[None]))
        return self._graphs.layers(self._model.network, _as_arrays(found))

    def draw(self, file: str | Path, path: str | Path, caption: str = "") -> None:
        """Draw the sheet of an image file into `path` (PNG); `caption` follows the file name in the title.

        Raises:
            UserError: the image is missing or cannot be decoded.
        """
        preprocessing = self._model.preprocessing
        (image,) = read_images([Path(file)], evaluation_transforms(preprocessing))
        pixels = preprocessing.pixels(image)
        layers = self.layers(image)
        side = layers[0].side
        nodes = dict.fromkeys(self._nodes, "") or interesting_nodes(pixels, side)
        shown = [layers[index] for index in spread(len(layers), MAX_COLUMNS)]
        rows = [row for color, node in enumerate(nodes) for row in _rows(node, nodes[node], color, side, shown)]
        title = f"{Path(file).name}{caption}; {self._backbone}, {side} x {side} nodes in the first layer"
        columns = ["what the\nnetwork sees", *(layer.title for layer in shown)]
        graph_sheet(pixels, title, columns, rows, self._graphs.legend, path)

    def draw_all(
        self, predictions: Sequence[Prediction], folder: Path, progress: Callable[[Iterable], Iterable]
    ) -> None:
        """Draw one sheet per image, named after it, with its best class in the title."""
        names = distinct_names(Path(item.path) for item in predictions)
        for name, item in zip(names, progress(predictions), strict=True):
            self.draw(item.path, folder / f"{name}.png", f": {item.labels[0]} ({item.probabilities[0]:.1%})")

    def _check_nodes(self, side: int) -> None:
        for node in self._nodes:
            if not 0 <= node < side * side:
                raise UserError(
                    f"nodes: node {node} does not exist; {self._backbone} has {side} x {side} in its first layer, "
                    f"0 to {side * side - 1} (number = {side} * row + column)"
                )


def interesting_nodes(pixels: np.ndarray, side: int) -> dict[int, str]:
    """Three distinct nodes with a label: the centre, the strongest contrast, and the plainest far from both.

    Args:
        pixels: (S, S, 3); side: nodes along one side, a divisor of S.
    """
    step = len(pixels) // side
    gray = pixels[: step * side, : step * side].mean(2).reshape(side, step, side, step)
    contrast = gray.std((1, 3)).ravel()
    places = np.stack(np.divmod(np.arange(side * side), side), 1)

    def distance(node: int) -> np.ndarray:
        return np.sqrt(((places - places[node]) ** 2).sum(1))

    centre = side // 2 * (side + 1)
    away = distance(centre) >= side / 4
    busiest = int(np.argmax(np.where(away, contrast, -1)))
    nearest = np.minimum(distance(centre), distance(busiest))
    candidates = np.flatnonzero(nearest >= side / 4)
    plainest = min(candidates.tolist(), key=lambda node: (contrast[node].round(3), -nearest[node]))
    return {centre: "centre", busiest: "most contrast", plainest: "plainest"}


def spread(count: int, most: int) -> list[int]:
    """At most `most` evenly spaced indices below `count`, including the first and the last."""
    return np.round(np.linspace(0, count - 1, min(most, count))).astype(int).tolist()


def _rows(node: int, why: str, color: int, first_side: int, layers: Sequence[LinkedLayer]) -> list[GraphRow]:
    """One row per kind of connection; the first column shows the node itself."""
    row, column = divmod(node, first_side)
    kinds = dict.fromkeys(kind for layer in layers for kind in layer.links)
    rows = []
    for kind in kinds:
        looks = [Look(node_box(node, first_side))]
        for layer in layers:
            # The coarser layer's node that the middle of this node lies in.
            inner = [(2 * place + 1) * layer.side // (2 * first_side) for place in (row, column)]
            number = inner[0] * layer.side + inner[1]
            looks.append(_drawn_links(layer, kind, number) if kind in layer.links else None)
        lines = (f"node {node}", why, f"row {row}, col. {column}", kind)
        rows.append(GraphRow("\n".join(filter(None, lines)), color, looks))
    return rows


def _drawn_links(layer: LinkedLayer, kind: str, node: int) -> Look:
    """The links of a node, for drawing."""
    links = layer.links[kind](node)
    return Look(node_box(node, layer.side), links.points, links.weights, links.frames)


def _as_arrays(found: Any) -> Any:
    """Tensors in tuples of tuples -> arrays."""
    return tuple(map(_as_arrays, found)) if isinstance(found, tuple) else found.asnumpy()
