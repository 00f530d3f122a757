"""Pictures of semantic segmentation: coloured maps, overlays, sheets, and PNG files of classes."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from src.runtime.files import write_atomically

from .canvas import NamedColor, canvas, color_legend, legend_height, shorten

Palette = Sequence[tuple[int, int, int]]  # RGB, 0-255, in the order of the classes

RIGHT, WRONG, IGNORED = (225, 232, 228), (179, 55, 47), (0, 0, 0)
PICTURE_WIDTH, MARGIN, TITLE = 3.4, 0.3, 0.35  # inches
TITLE_CHARACTERS = 40  # that fit over a picture
MAX_LEGEND_COLUMNS = 8


@dataclass(frozen=True)
class SegmentedImage:
    """A picture with its classes.

    Attributes:
        name: for the caption.
        image: (H, W, 3) uint8.
        prediction: (H, W) int classes.
        truth: (H, W) int classes, or None if unknown.
        score: mean IoU of the image, 0..1, for the caption; None if unknown.
    """

    name: str
    image: np.ndarray
    prediction: np.ndarray
    truth: np.ndarray | None = None
    score: float | None = None


def color_map(classes: np.ndarray, palette: Palette) -> np.ndarray:
    """(H, W) classes -> (H, W, 3) uint8 in the palette's colours; black for ignored pixels."""
    table = np.full((256, 3), IGNORED, np.uint8)
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
    errors[truth >= num_classes] = IGNORED
    return errors


def segmentation_sheet(
    items: Sequence[SegmentedImage], class_names: Sequence[str], palette: Palette, path: str | Path, max_items: int = 8
) -> None:
    """Draw the first `max_items` pictures, one row each: image, truth, prediction, errors; with a legend of colours.

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
    colors = colors_shown(items[:max_items], class_names, palette)
    num_legend_columns = min(MAX_LEGEND_COLUMNS, 2 * num_columns)
    below = legend_height(len(colors), num_legend_columns)
    with canvas(path, num_columns * PICTURE_WIDTH, len(rows) * row_height + below) as figure:
        grid = figure.subplots(len(rows), num_columns, squeeze=False)
        for axes in grid.flat:
            axes.set_axis_off()
        for panels, line in zip(rows, grid, strict=True):
            for (title, picture), axes in zip(panels, line, strict=False):
                axes.imshow(picture, interpolation="antialiased")
                axes.set_title(title, fontsize=10, pad=3)
        color_legend(figure, colors, num_legend_columns, "outside lower center")


def _panels(item: SegmentedImage, palette: Palette) -> list[tuple[str, np.ndarray]]:
    score = "" if item.score is None else f"mIoU {item.score:.1%}:  "
    image = (score + shorten(item.name, TITLE_CHARACTERS - len(score)), item.image)
    if item.truth is None:
        return [image, ("prediction", overlay(item.image, item.prediction, palette))]
    return [
        image,
        ("truth", color_map(item.truth, palette)),
        ("prediction", color_map(item.prediction, palette)),
        ("errors", error_map(item.prediction, item.truth, len(palette))),
    ]


def colors_shown(items: Sequence[SegmentedImage], class_names: Sequence[str], palette: Palette) -> list[NamedColor]:
    """The colours of a sheet: of the classes that occur, of ignored pixels, and of right and wrong predictions."""
    truths = [item.truth for item in items if item.truth is not None]
    colors = class_colors([*(item.prediction for item in items), *truths], class_names, palette)
    if any((truth >= len(class_names)).any() for truth in truths):
        colors.append(("ignored", IGNORED))
    return colors + ([("right", RIGHT), ("wrong", WRONG)] if truths else [])


def class_colors(maps: Sequence[np.ndarray], class_names: Sequence[str], palette: Palette) -> list[NamedColor]:
    """The colours of the classes that occur in label maps."""
    found = np.unique(np.concatenate([np.unique(classes) for classes in maps])).tolist()
    return [(class_names[k], palette[k]) for k in found if k < len(class_names)]


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
