"""Intersection over union and pixel accuracy of an evaluation, from one confusion matrix over all pixels."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from src.runtime.files import write_csv

from .confusion import ConfusionMatrix

IOU_CSV_HEADER = ("class", "iou", "pixels", "predicted_pixels", "correct_pixels")


@dataclass(frozen=True)
class SegmentationResult:
    """Result of a segmentation evaluation.

    Attributes:
        num_pixels: pixels counted, without ignored pixels and padding.
        mean_iou: mean of `iou` over the classes that occur in truth or prediction, 0..1.
        pixel_accuracy: fraction of the counted pixels that are correct, 0..1.
        iou: (K,) intersection over union of each class, 0..1; NaN for a class that does not occur.
        confusion: (K, K) int64 pixels, rows are the truth.
    """

    num_pixels: int
    mean_iou: float
    pixel_accuracy: float
    iou: np.ndarray
    confusion: np.ndarray


class SegmentationMetric:
    """Accumulates predicted and true classes of pixels; `state` and `merge` combine the counts of all ranks.

    One matrix over the whole set, never a mean over images, as in the Cityscapes benchmark.

    Args:
        num_classes: K.
        ignore_label: label of pixels that are not counted.
    """

    def __init__(self, num_classes: int, ignore_label: int = 255):
        self._confusion = ConfusionMatrix(num_classes, ignore_label)

    def update(self, predictions: np.ndarray, labels: np.ndarray, weights: np.ndarray | None = None) -> None:
        """Count a batch.

        Args:
            predictions: (B, H, W) int, 0..K-1.
            labels: (B, H, W) int, 0..K-1 or the ignored one; -1 - k for a pixel of class k in an image that could
                not be read: it counts as wrong.
            weights: (B,) 1 for an image, 0 for one that only pads the batch; None counts all.

        Raises:
            ValueError: a counted label is outside 0..K-1.
        """
        if weights is not None:
            counted = np.asarray(weights) != 0
            predictions, labels = np.asarray(predictions)[counted], np.asarray(labels)[counted]
        num_classes = self._confusion.num_classes
        self._confusion.update(*_without_unread(np.asarray(predictions), np.asarray(labels), num_classes))

    def state(self) -> np.ndarray:
        """All counts as a float64 vector (K * K,), for `merge`."""
        return self._confusion.state()

    def merge(self, states: Sequence[np.ndarray]) -> None:
        """Replace the counts by the sum of these states, one per rank."""
        vector = np.sum(states, axis=0)
        self._confusion.load_state(vector)

    def compute(self) -> SegmentationResult:
        """The result of all batches so far.

        Raises:
            ValueError: no labelled pixel was counted.
        """
        mean_iou = self._confusion.mean_iou()
        confusion = self._confusion.counts.copy()
        num_pixels = int(confusion.sum())
        accuracy = int(np.trace(confusion)) / num_pixels
        return SegmentationResult(num_pixels, mean_iou, accuracy, self._confusion.iou(), confusion)


def _without_unread(predictions: np.ndarray, labels: np.ndarray, num_classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Labels below 0 replaced by their classes, and a prediction of that very class by another one."""
    unread = labels < 0
    classes = np.where(unread, -1 - labels, labels)
    return np.where(unread & (predictions == classes), (classes + 1) % num_classes, predictions), classes


def seed_result(result: SegmentationResult) -> str:
    """The text of result.txt: {"meanIU": ..., "IU_array": [...]}; null for a class that does not occur."""
    array = [None if np.isnan(value) else float(value) for value in result.iou]
    return json.dumps({"meanIU": result.mean_iou, "IU_array": array})


def iou_table(result: SegmentationResult, class_names: Sequence[str]) -> str:
    """One line per class with its IoU in percent, the mean as the last line; "-" for a class that does not occur."""
    width = max(map(len, ("mean", *class_names)))
    values = [*zip(class_names, result.iou, strict=True), ("mean", result.mean_iou)]
    return "\n".join(f"{name:<{width}}  {_percent(value):>6}" for name, value in values)


def _percent(value: float) -> str:
    return "-" if np.isnan(value) else f"{100 * value:.2f}"


def write_iou_csv(path: str | Path, result: SegmentationResult, class_names: Sequence[str]) -> None:
    """Write one row per class as UTF-8 CSV with a header; IoU with six decimals, empty if the class does not occur."""
    confusion = result.confusion
    rows = [
        (name, "" if np.isnan(value) else f"{value:.6f}", *_counts(confusion, index))
        for index, (name, value) in enumerate(zip(class_names, result.iou, strict=True))
    ]
    write_csv(path, [IOU_CSV_HEADER, *rows])


def _counts(confusion: np.ndarray, index: int) -> tuple[int, int, int]:
    """Pixels of a class, predicted as it, and both."""
    return confusion[index].sum(), confusion[:, index].sum(), confusion[index, index]
