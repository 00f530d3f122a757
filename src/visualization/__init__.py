"""Pictures of a run as PNG files: learning curves, confusion matrices, predictions, graphs and segmentations."""

from .confusion import plot_confusion_matrix
from .curves import plot_curves, plot_learning_rate
from .graph import GraphRow, Look, graph_sheet
from .grid import Prediction, picture_sheet, prediction_grid, small_picture
from .segmentation import (
    SegmentedImage,
    class_colors,
    color_map,
    error_map,
    overlay,
    segmentation_sheet,
    write_label_png,
    write_palette_png,
    write_png,
)

__all__ = [
    "GraphRow",
    "Look",
    "Prediction",
    "SegmentedImage",
    "class_colors",
    "color_map",
    "error_map",
    "overlay",
    "graph_sheet",
    "picture_sheet",
    "plot_confusion_matrix",
    "plot_curves",
    "plot_learning_rate",
    "prediction_grid",
    "segmentation_sheet",
    "small_picture",
    "write_label_png",
    "write_palette_png",
    "write_png",
]
