"""Grids of pictures with captions, or with their predicted classes."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from textwrap import wrap

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from .canvas import GRAY, GREEN, PALE, RED, NamedColor, canvas, color_legend, legend_height, shorten

MAX_COLUMNS = 6
NUM_BARS = 3
ENLARGE_BELOW = 250  # pixels, about the side of a picture on the canvas

# A cell of the grid, in inches: truth (if known), picture (a square), caption and bars, from the top down.
MARGIN, TITLE, PICTURE, CAPTION, BARS = 0.13, 0.2, 1.9, 0.22, 0.5
CELL_WIDTH = MARGIN + PICTURE + MARGIN
LONGEST_BAR = 0.77  # of the picture's width; the percentages stand beside the bars
SHEET_LINE, LINE_CHARACTERS = 0.17, 32  # a line of a caption of `picture_sheet`
LEGEND_COLUMNS = 6


@dataclass(frozen=True)
class Prediction:
    """A picture and its most probable classes.

    Attributes:
        path: the file, for the caption.
        image: (H, W, 3) uint8.
        labels: class names, the most probable first.
        probabilities: their probabilities, 0..1.
        truth: the true class name, or None if unknown.
        fault: why the file cannot be read; "" for all others, the only ones with labels and probabilities.
    """

    path: str
    image: np.ndarray
    labels: list[str]
    probabilities: list[float]
    truth: str | None = None
    fault: str = ""


def prediction_grid(
    items: Sequence[Prediction], path: str | Path, max_items: int = 36, max_columns: int = MAX_COLUMNS
) -> None:
    """Draw the first `max_items` pictures, each under its true class, if known, and over its three best as bars.

    The true class is green if the best class is right, red if it is wrong.

    Raises:
        ValueError: there is no item.
    """
    if not items:
        raise ValueError("no prediction to draw: the list of pictures is empty")
    shown = items[:max_items]
    num_rows = ceil(len(shown) / max_columns)
    num_columns = ceil(len(shown) / num_rows)
    title = TITLE if any(item.truth is not None for item in shown) else 0.0
    cell_height = title + PICTURE + CAPTION + BARS + MARGIN
    with canvas(path, num_columns * CELL_WIDTH, num_rows * cell_height + MARGIN, layout=None) as figure:
        for index, item in enumerate(shown):
            row, column = divmod(index, num_columns)
            _draw_cell(figure, column * CELL_WIDTH, MARGIN + row * cell_height + title, item)


def small_picture(pixels: np.ndarray, side: int) -> np.ndarray:
    """Pixels (H, W, 3) uint8, reduced to at most `side` pixels along the longer side."""
    if max(pixels.shape[:2]) <= side:
        return pixels
    image = Image.fromarray(pixels)
    image.thumbnail((side, side))
    return np.asarray(image)


def picture_sheet(
    images: Sequence[np.ndarray],
    captions: Sequence[str],
    path: str | Path,
    colors: Sequence[NamedColor] = (),
) -> None:
    """Draw (H, W, 3) uint8 pictures, each over its whole caption, in rows of MAX_COLUMNS.

    Args:
        colors: to explain below the pictures.
    """
    num_columns = min(MAX_COLUMNS, len(images))
    num_rows = ceil(len(images) / num_columns)
    texts = [wrap(shorten(caption, 6 * LINE_CHARACTERS), LINE_CHARACTERS) for caption in captions]
    cell_height = MARGIN + PICTURE + 0.08 + SHEET_LINE * max(map(len, texts))
    num_legend_columns = min(LEGEND_COLUMNS, num_columns)
    below = legend_height(len(colors), num_legend_columns)
    with canvas(path, num_columns * CELL_WIDTH, num_rows * cell_height + MARGIN + below, layout=None) as figure:
        for index, (image, lines) in enumerate(zip(images, texts, strict=True)):
            row, column = divmod(index, num_columns)
            picture = axes_at(figure, column * CELL_WIDTH + MARGIN, row * cell_height + MARGIN, PICTURE, PICTURE)
            picture.set_xlabel("\n".join(lines), fontsize=8, labelpad=3)
            _draw_picture(picture, image)
        if colors:
            color_legend(figure, colors, num_legend_columns, "lower center")


def _draw_cell(figure: Figure, left: float, top: float, item: Prediction) -> None:
    """Draw an item whose cell begins at `left`, and its picture at `top` inches from the figure's corner."""
    left += MARGIN
    picture = axes_at(figure, left, top, PICTURE, PICTURE)
    bars = axes_at(figure, left, top + PICTURE + CAPTION, PICTURE, BARS)
    if item.truth is not None:
        is_right = item.truth == item.labels[0]
        picture.set_title(
            f"truth: {shorten(item.truth, 20)}", color=GREEN if is_right else RED, fontsize=9, loc="center", pad=4
        )
    picture.set_xlabel(shorten(_shown("/".join(Path(item.path).parts[-2:])), 32), fontsize=7, color=GRAY, labelpad=3)
    _draw_picture(picture, item.image)
    _draw_bars(bars, item)


def _shown(name: str) -> str:
    """A file's name with a backslash escape for each byte that is not UTF-8, which no font draws."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def axes_at(figure: Figure, left: float, top: float, width: float, height: float) -> Axes:
    """Axes placed in inches from the figure's upper left corner, so all cells of a grid are equal."""
    figure_width, figure_height = figure.get_size_inches()
    bottom = figure_height - top - height
    return figure.add_axes((left / figure_width, bottom / figure_height, width / figure_width, height / figure_height))


def _draw_picture(axes: Axes, image: np.ndarray) -> None:
    # Small pictures keep their pixels; large ones are averaged on the way down.
    is_small = max(image.shape[:2]) < ENLARGE_BELOW
    axes.imshow(image, interpolation="nearest" if is_small else "antialiased")
    axes.set_adjustable("datalim")  # the frame stays square, whatever the picture's shape
    axes.set_facecolor("#f3f3f3")
    axes.set_xticks([])
    axes.set_yticks([])
    axes.grid(False)
    axes.spines[:].set(visible=True, color=PALE, linewidth=0.8)


def _draw_bars(axes: Axes, item: Prediction) -> None:
    """The best classes as bars that carry their names, beside their percentages."""
    best = list(zip(item.labels, item.probabilities, strict=True))[:NUM_BARS]
    for row, (label, probability) in enumerate(best):
        axes.barh(row, LONGEST_BAR * probability, height=0.86, color=PALE)
        axes.text(0.02, row, shorten(label, 22), va="center_baseline", fontsize=7)
        axes.text(1, row, f"{probability:.1%}", va="center_baseline", ha="right", fontsize=7)
    axes.set_xlim(0, 1)
    axes.set_ylim(NUM_BARS - 0.5, -0.5)
    axes.set_axis_off()
