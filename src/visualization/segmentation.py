"""Pictures of semantic segmentation: coloured maps, overlays, sheets, and PNG files of classes."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.patches import Patch
from PIL import Image

from src.runtime.files import write_atomically

from .canvas import canvas, shorten

Palette = Sequence[tuple[int, int, int]]  # RGB, 0-255, in the order of the classes

RIGHT, WRONG = (225, 232, 228), (179, 55, 47)
PICTURE_WIDTH, MARGIN, TITLE = 3.4, 0.3, 0.35  # inches
MAX_LEGEND_COLUMNS = 10


@dataclass(frozen=True)
class SegmentedImage:
    """A picture with its classes.

    Attributes:
        name: for the caption.
        image: (H, W, 3) uint8.
        prediction: (H, W) int classes.
        truth: (H, W) int classes, or None if unknown.
    """

    name: str
    image: np.ndarray
    prediction: np.ndarray
    truth: np.ndarray | None = None


def color_map(classes: np.ndarray, palette: Palette) -> np.ndarray:
    """(H, W) classes -> (H, W, 3) uint8 in the palette's colours; black for ignored pixels."""
    table = np.zeros((256, 3), np.uint8)
    table[: len(palette)] = palette
    return table[classes]


def overlay(image: np.ndarray, classes: np.ndarray, palette: Palette, opacity: float = 0.55) -> np.ndarray:
    """The coloured map laid over a picture, (H, W, 3) uint8; ignored pixels are left unchanged."""
    mixed = image * (1 - opacity) + color_map(classes, palette) * opacity
    is_class = (classes < len(palette))[..., None]
    return np.where(is_class, np.round(mixed), image).astype(np.uint8)


def error_map(prediction: np.ndarray, truth: np.ndarray, num_classes: int) -> np.ndarray:
    """(H, W, 3) uint8: red for wrong predictions, pale for correct ones, black where the truth is ignored."""
    errors = np.where((prediction == truth)[..., None], RIGHT, WRONG).astype(np.uint8)
    errors[truth >= num_classes] = 0
    return errors


def segmentation_sheet(
    items: Sequence[SegmentedImage], class_names: Sequence[str], palette: Palette, path: str | Path, max_items: int = 8
) -> None:
    """Draw the first `max_items` pictures, one row each: image, truth, prediction, errors; with a legend of classes.

    Pictures without a truth have two columns: the image, and the prediction laid over it.

    Raises:
        ValueError: there is no item.
    """
    if not items:
        raise ValueError("no segmentation to draw: the list of pictures is empty")
    rows = [_panels(item, palette) for item in items[:max_items]]
    num_columns = max(map(len, rows))
    height, width = items[0].image.shape[:2]
    row_height = (PICTURE_WIDTH - MARGIN) * height / width + TITLE
    shown = _classes_shown(items[:max_items], len(class_names))
    num_legend_columns = min(MAX_LEGEND_COLUMNS, 5 * num_columns // 2)
    legend_height = 0.3 + 0.25 * -(-len(shown) // num_legend_columns)
    with canvas(path, num_columns * PICTURE_WIDTH, len(rows) * row_height + legend_height) as figure:
        grid = figure.subplots(len(rows), num_columns, squeeze=False)
        for axes in grid.flat:
            axes.set_axis_off()
        for panels, line in zip(rows, grid, strict=True):
            for (title, picture), axes in zip(panels, line, strict=False):
                axes.imshow(picture, interpolation="antialiased")
                axes.set_title(title, fontsize=8, pad=3)
        patches = [Patch(color=np.array(palette[k]) / 255, label=class_names[k]) for k in shown]
        figure.legend(handles=patches, loc="outside lower center", ncols=num_legend_columns, fontsize=8)


def _panels(item: SegmentedImage, palette: Palette) -> list[tuple[str, np.ndarray]]:
    image = (shorten(item.name, 40), item.image)
    if item.truth is None:
        return [image, ("prediction", overlay(item.image, item.prediction, palette))]
    right = (item.prediction == item.truth)[item.truth < len(palette)]
    share = f"errors ({1 - right.mean():.1%})" if right.size else "errors"
    return [
        image,
        ("truth", color_map(item.truth, palette)),
        ("prediction", color_map(item.prediction, palette)),
        (share, error_map(item.prediction, item.truth, len(palette))),
    ]


def _classes_shown(items: Sequence[SegmentedImage], num_classes: int) -> list[int]:
    maps = [classes for item in items for classes in (item.prediction, item.truth) if classes is not None]
    found = np.unique(np.concatenate([np.unique(classes) for classes in maps]))
    return [int(k) for k in found if k < num_classes]


# -- files


def write_palette_png(path: str | Path, classes: np.ndarray, palette: Palette) -> None:
    """Write (H, W) classes as a PNG whose values are the classes, which viewers show in the palette's colours."""
    picture = Image.fromarray(classes.astype(np.uint8))
    # All 256 colours: a PNG with fewer colours has fewer bits per pixel, too few for the ignored 255.
    picture.putpalette(color_map(np.arange(256), palette).tobytes())
    _write(path, picture)


def write_label_png(path: str | Path, label_ids: np.ndarray) -> None:
    """Write (H, W) label ids as a grey 8-bit PNG, the form that scorers read."""
    write_png(path, label_ids.astype(np.uint8))


def write_png(path: str | Path, pixels: np.ndarray) -> None:
    """Write (H, W, 3) RGB or (H, W) grey pixels, uint8, as a PNG."""
    _write(path, Image.fromarray(pixels))


def _write(path: str | Path, picture: Image.Image) -> None:
    buffer = io.BytesIO()
    picture.save(buffer, format="png")
    write_atomically(path, buffer.getvalue())
