"""Metrics of an evaluation in NumPy: accuracy, loss, confusion and intersection over union."""

from .classification import ClassificationMetric, ClassificationResult, softmax
from .confusion import ConfusionMatrix
from .per_class import ClassRow, write_per_class_csv
from .segmentation import SegmentationMetric, SegmentationResult, iou_table, seed_result, write_iou_csv

__all__ = [
    "ClassRow",
    "ClassificationMetric",
    "ClassificationResult",
    "ConfusionMatrix",
    "SegmentationMetric",
    "SegmentationResult",
    "iou_table",
    "seed_result",
    "softmax",
    "write_iou_csv",
    "write_per_class_csv",
]
