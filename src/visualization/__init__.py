"""Pictures of a run: learning curves, confusion matrices and predictions, as PNG files."""

from .canvas import write_atomically
from .confusion import plot_confusion_matrix
from .curves import plot_curves, plot_learning_rate
from .grid import Prediction, prediction_grid

__all__ = [
    "Prediction",
    "plot_confusion_matrix",
    "plot_curves",
    "plot_learning_rate",
    "prediction_grid",
    "write_atomically",
]
