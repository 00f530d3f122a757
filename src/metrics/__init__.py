"""What an evaluation counts: correct predictions, losses and confusions, in NumPy only."""

from .classification import ClassificationMetric, ClassificationResult
from .confusion import ConfusionMatrix
from .per_class import ClassRow, write_per_class_csv

__all__ = [
    "ClassRow",
    "ClassificationMetric",
    "ClassificationResult",
    "ConfusionMatrix",
    "write_per_class_csv",
]
