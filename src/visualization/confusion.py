"""Confusion matrix as a picture, readable from 2 to 1000 classes."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from .canvas import INK, canvas, shorten

MAX_CLASSES = 30  # more do not fit on a page
MAX_ANNOTATED_CLASSES = 20
NUM_MOST_CONFUSED = 20
LARGE_CELLS = 6  # so many rows are drawn large, further ones smaller

# Inches; the last two of a character.
LARGE_CELL, SMALL_CELL, ABOVE_AND_BELOW, SCALE, MIN_WIDTH = 0.62, 0.28, 1.25, 1.9, 4.2
CHARACTER_WIDTH, CHARACTERS_IN_CELL = 0.085, 5


def plot_confusion_matrix(confusion: np.ndarray, class_names: Sequence[str], path: str | Path) -> None:
    """Draw a (K, K) confusion matrix, rows being the truth; colours are shares of the row.

    Up to 20 classes carry their counts. Of more than 30 classes only the 20 most confused are drawn,
    in their original order, as the title states. Classes without a name are called "class i".
    """
    confusion = np.asarray(confusion)
    names = [*class_names, *(f"class {i}" for i in range(len(class_names), len(confusion)))]
    shown = np.arange(len(confusion)) if len(confusion) <= MAX_CLASSES else most_confused(confusion)
    counts = confusion[np.ix_(shown, shown)]
    shares = counts / np.maximum(confusion.sum(1)[shown, None], 1)
    labels = [shorten(names[index], 20) for index in shown]
    with canvas(path, *_size(labels)) as figure:
        axes = figure.subplots()
        # The square root makes an error of 2 % visible beside a diagonal near 100 %.
        image = axes.imshow(shares, cmap="Blues", norm=PowerNorm(0.5, 0, 1))
        _name_classes(axes, labels)
        if len(shown) <= MAX_ANNOTATED_CLASSES:
            _write_counts(axes, counts, shares)
        _add_scale(figure, axes, image)
        axes.set_title(_title(confusion, len(shown)), loc="center")


def most_confused(confusion: np.ndarray, num_classes: int = NUM_MOST_CONFUSED) -> np.ndarray:
    """Indices, ascending, of the classes in the most confused pairs; ties are resolved by index."""
    pairs = np.triu(confusion + confusion.T, 1)
    # num_classes - 1 classes make fewer pairs than this, so enough classes are among them.
    worst = np.argsort(-pairs, axis=None, kind="stable")[: num_classes**2]
    classes = np.stack(np.unravel_index(worst, pairs.shape), axis=1).ravel()
    return np.sort(list(dict.fromkeys(classes.tolist()))[:num_classes])


def _size(names: list[str]) -> tuple[float, float]:
    """Width and height of the figure in inches, for cells of about the same size in matrices of 2 to 6 classes."""
    side = LARGE_CELL * min(len(names), LARGE_CELLS) + SMALL_CELL * max(len(names) - LARGE_CELLS, 0)
    longest = CHARACTER_WIDTH * max(map(len, names))
    height = side + ABOVE_AND_BELOW + (longest if _upright(names) else 0)
    return max(side + longest + SCALE, MIN_WIDTH), height


def _upright(names: list[str]) -> bool:
    """Whether names are too long to stand side by side below the columns."""
    return max(map(len, names)) > CHARACTERS_IN_CELL * min(1, LARGE_CELLS / len(names))


def _name_classes(axes: Axes, names: list[str]) -> None:
    axes.set_xticks(range(len(names)), names, rotation=90 if _upright(names) else 0)
    axes.set_yticks(range(len(names)), names)
    axes.set_xlabel("prediction")
    axes.set_ylabel("truth")
    axes.spines[:].set_visible(False)
    axes.grid(False)
    borders = np.arange(len(names) + 1) - 0.5
    axes.set_xticks(borders, minor=True)
    axes.set_yticks(borders, minor=True)
    axes.grid(which="minor", color="white", linewidth=1.5)
    axes.tick_params(which="both", length=0, labelsize=9)


def _write_counts(axes: Axes, counts: np.ndarray, shares: np.ndarray) -> None:
    size = 10 if len(counts) <= 12 else 8
    for row, column in np.argwhere(counts):
        color = "white" if shares[row, column] > 0.3 else INK
        text = compact(int(counts[row, column]))
        axes.text(column, row, text, ha="center", va="center_baseline", fontsize=size, color=color)


def compact(count: int) -> str:
    """A count in a few characters: 9999, 54k, 2.8M, 1.2G."""
    if count < 10_000:
        return str(count)
    num_thousands = min((len(str(count)) - 1) // 3, 3)
    value = count / 1000**num_thousands
    return f"{value:.{1 if value < 9.95 else 0}f}{' kMG'[num_thousands]}"


def _add_scale(figure: Figure, axes: Axes, image: AxesImage) -> None:
    ticks = [0, 0.05, 0.2, 0.5, 1]
    scale = figure.colorbar(image, ax=axes, shrink=0.8, aspect=20, ticks=ticks)
    scale.ax.set_yticklabels([f"{tick:.0%}" for tick in ticks])
    scale.ax.tick_params(length=0, labelsize=9)
    scale.outline.set_visible(False)
    scale.set_label("share of the class's images,\ncolours by its square root")


def _title(confusion: np.ndarray, num_shown: int) -> str:
    num_images, num_correct = int(confusion.sum()), int(np.trace(confusion))  # or pixels
    accuracy = f"Accuracy {num_correct / max(num_images, 1):.2%} ({num_correct:,} of {num_images:,})"
    if num_shown == len(confusion):
        return accuracy
    return f"The {num_shown} most confused of {len(confusion):,} classes\n{accuracy} over all"
