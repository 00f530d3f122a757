"""Per-class table of a classification evaluation, and its CSV file."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from pathlib import Path

import numpy as np

from src.runtime.files import write_csv

CSV_HEADER = ("class", "images", "correct", "accuracy", "precision", "most_confused_with")


@dataclass(frozen=True)
class ClassRow:
    """One class of an evaluation.

    Attributes:
        name: the class.
        num_images: images whose truth is this class.
        num_correct: number of them that were predicted correctly.
        accuracy: num_correct / num_images (recall), 0..1; None without images.
        precision: num_correct / images predicted as this class, 0..1; None if never predicted.
        most_confused_with: most frequent wrong prediction for its images; "" without errors.
    """

    name: str
    num_images: int
    num_correct: int
    accuracy: float | None
    precision: float | None
    most_confused_with: str


def rows_per_class(confusion: np.ndarray, class_names: Sequence[str]) -> list[ClassRow]:
    """Rows for the named classes of a (K, K) confusion matrix (rows are the truth).

    The network may have more outputs than the data set has classes: K then exceeds the number of names, and an unnamed
    class can only occur as a wrong prediction.

    Raises:
        ValueError: there are more names than classes.
    """
    num_classes = len(confusion)
    if len(class_names) > num_classes:
        raise ValueError(f"{len(class_names)} class names for {num_classes} classes: set class_num")
    names = [*class_names, *(f"class {i}" for i in range(len(class_names), num_classes))]
    num_predicted = confusion.sum(0)
    return [_row(names, index, confusion[index], int(num_predicted[index])) for index in range(len(class_names))]


def _row(names: list[str], index: int, predictions: np.ndarray, num_predicted: int) -> ClassRow:
    num_images, num_correct = int(predictions.sum()), int(predictions[index])
    errors = predictions.copy()
    errors[index] = 0
    return ClassRow(
        name=names[index],
        num_images=num_images,
        num_correct=num_correct,
        accuracy=num_correct / num_images if num_images else None,
        precision=num_correct / num_predicted if num_predicted else None,
        most_confused_with=names[int(errors.argmax())] if errors.any() else "",
    )


def write_per_class_csv(path: str | Path, rows: Sequence[ClassRow]) -> None:
    """Write the rows as UTF-8 CSV with a header; fractions have six decimals, None is an empty cell."""
    write_csv(path, [CSV_HEADER, *map(_cells, rows)])


def _cells(row: ClassRow) -> list[object]:
    return [f"{value:.6f}" if isinstance(value, float) else value for value in astuple(row)]
