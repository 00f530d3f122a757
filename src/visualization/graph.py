"""Sheet of the neighbours or attention of selected nodes of a picture: one row per node, one column per layer."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import fill

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from .canvas import GRAY, canvas, shorten
from .grid import ENLARGE_BELOW, axes_at

COLORS = ("#ff7f0e", "#22a7f0", "#2ecc71", "#e84393", "#f1c40f", "#a29bfe")  # readable on dark and on light pictures
MAX_JOINED = 40  # points; more lines hide the picture

# Inches.
MARGIN, HEADER, FOOTER, LABEL, PICTURE, GAP = 0.15, 0.62, 0.45, 1.05, 1.72, 0.1
TITLE_CHARACTERS, LEGEND_CHARACTERS = 11, 15  # an inch of them

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Look:
    """Neighbours or attention of a node in one layer. Positions and sizes are shares of the picture's height and width.

    Attributes:
        box: the node's own patch: top, left, height, width.
        points: (P, 3) row, column and weight, 0..1, of each neighbour.
        shade: (H, W) weight of each cell of a grid over the picture; NaN: no neighbour. None: no shading.
        outlines: boxes to frame.
    """

    box: Box
    points: np.ndarray = field(default_factory=lambda: np.zeros((0, 3)))
    shade: np.ndarray | None = None
    outlines: Sequence[Box] = ()


@dataclass(frozen=True)
class GraphRow:
    """One row of the sheet: its label, the number of its colour, and a look per column (None: empty)."""

    label: str
    color: int
    looks: Sequence[Look | None]


def graph_sheet(
    image: np.ndarray, title: str, columns: Sequence[str], rows: Sequence[GraphRow], legend: str, path: str | Path
) -> None:
    """Draw (H, W, 3) uint8 pixels once per look of each row, and write the sheet as a PNG file.

    The picture is muted behind marks; a look without marks shows it unchanged.

    Args:
        columns: heading of each column, up to two lines.
        legend: meaning of the marks, at the bottom of the sheet.
    """
    width = MARGIN + LABEL + len(columns) * (PICTURE + GAP) + MARGIN
    height = MARGIN + HEADER + len(rows) * (PICTURE + GAP) + FOOTER
    with canvas(path, width, height, layout=None) as figure:
        _write(figure, MARGIN, MARGIN, shorten(title, int(width * TITLE_CHARACTERS)), size=11)
        for column, text in enumerate(columns):
            left = MARGIN + LABEL + column * (PICTURE + GAP)
            _write(figure, left + PICTURE / 2, MARGIN + HEADER - 0.05, text, size=8, ha="center", va="bottom")
        for number, row in enumerate(rows):
            _draw_row(figure, MARGIN + HEADER + number * (PICTURE + GAP), image, row)
        legend = fill(legend, int(width * LEGEND_CHARACTERS))
        _write(figure, MARGIN, height - FOOTER / 2 - GAP / 2, legend, size=8, color=GRAY, va="center")


def muted(image: np.ndarray) -> np.ndarray:
    """Darker and half-way to gray, so marks of any colour stand out."""
    gray = image.mean(2, keepdims=True)
    return np.uint8(np.round(0.8 * (0.5 * image + 0.5 * gray)))


def _write(figure: Figure, left: float, top: float, text: str, *, size: float, va: str = "top", **style) -> None:
    """A text placed in inches from the upper left corner."""
    width, height = figure.get_size_inches()
    figure.text(left / width, 1 - top / height, text, fontsize=size, va=va, linespacing=1.25, **style)


def _draw_row(figure: Figure, top: float, image: np.ndarray, row: GraphRow) -> None:
    color = COLORS[row.color % len(COLORS)]
    _write(figure, MARGIN, top + PICTURE / 2, row.label, size=8, va="center")
    for column, look in enumerate(row.looks):
        if look is not None:
            left = MARGIN + LABEL + column * (PICTURE + GAP)
            _draw_look(axes_at(figure, left, top, PICTURE, PICTURE), image, look, color)


def _draw_look(axes: Axes, image: np.ndarray, look: Look, color: str) -> None:
    """The picture over the unit square, rows downwards, and the marks on it."""
    unit = (0, 1, 1, 0)
    is_small = max(image.shape[:2]) < ENLARGE_BELOW
    is_marked = len(look.points) or look.outlines or look.shade is not None
    backdrop = muted(image) if is_marked else image
    axes.imshow(backdrop, extent=unit, interpolation="nearest" if is_small else "antialiased")
    if look.shade is not None:
        axes.imshow(_tinted(look.shade, color), extent=unit, interpolation="nearest")
    for outline in look.outlines:
        _frame(axes, outline, color, 1.2)
    _draw_points(axes, look, color)
    _frame(axes, look.box, "white", 3.0)
    _frame(axes, look.box, color, 1.6)
    axes.set(xlim=(0, 1), ylim=(1, 0), xticks=[], yticks=[])
    axes.grid(False)
    axes.spines[:].set_visible(False)


def _tinted(shade: np.ndarray, color: str) -> np.ndarray:
    """(H, W) weights -> (H, W, 4) colour, the more opaque the larger the weight.

    The mean weight has medium opacity and r times the mean has full opacity, where r is 2 or the largest ratio, if
    greater: equal weights must not look strong, and differences between nearly equal ones must be visible. If only some
    cells are neighbours, even the weakest of them is visible.
    """
    shares = np.maximum(shade / np.nanmean(shade), 1e-6)
    strength = 0.5 + 0.5 * np.log(shares) / np.log(max(2, np.nanmax(shares)))
    weakest = 0.2 if np.isnan(shade).any() else 0.0
    opacity = np.nan_to_num(weakest + (0.8 - weakest) * np.maximum(strength, 0))
    return np.dstack([np.broadcast_to(to_rgb(color), (*shade.shape, 3)), opacity])


def _draw_points(axes: Axes, look: Look, color: str) -> None:
    rows, columns, weights = look.points.T
    strength = weights / max(weights.max(initial=0), 1e-12)
    if 0 < len(weights) <= MAX_JOINED:
        top, left, height, width = look.box
        own = (left + width / 2, top + height / 2)
        lines = [(own, end) for end in zip(columns, rows, strict=True)]
        axes.add_collection(LineCollection(lines, colors=color, linewidths=1.3, alpha=0.35 + 0.5 * strength))
    axes.scatter(columns, rows, s=3 + 12 * strength, c=color, edgecolors="white", linewidths=0.5, zorder=3)


def _frame(axes: Axes, box: Box, color: str, width: float) -> None:
    top, left, height, width_of_box = box
    rectangle = Rectangle((left, top), width_of_box, height, fill=False, edgecolor=color, linewidth=width, zorder=4)
    axes.add_patch(rectangle)
