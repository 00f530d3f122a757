"""Confusion matrix, accumulated over a whole evaluation, and intersection over union."""

import numpy as np


class ConfusionMatrix:
    """Counts of (truth, prediction) pairs, of images or of pixels.

    Args:
        num_classes: K; labels and predictions run from 0 to K - 1.
        ignore_label: label of elements that are not counted (255 in Cityscapes), or None.
    """

    def __init__(self, num_classes: int, ignore_label: int | None = None):
        self.num_classes = num_classes
        self.ignore_label = ignore_label
        self.counts = np.zeros((num_classes, num_classes), np.int64)  # rows are the truth

    def update(self, predictions: np.ndarray, labels: np.ndarray) -> None:
        """Count a batch of integer `predictions` against integer `labels` of the same shape.

        Raises:
            ValueError: a label is outside 0..K-1 and not the ignored one.
        """
        labels = np.asarray(labels, np.int64).ravel()
        predictions = np.asarray(predictions, np.int64).ravel()
        if self.ignore_label is not None:
            counted = labels != self.ignore_label
            labels, predictions = labels[counted], predictions[counted]
        _check_labels(labels, self.num_classes)
        cells = labels * self.num_classes + predictions
        self.counts += np.bincount(cells, minlength=self.counts.size).reshape(self.counts.shape)

    def iou(self) -> np.ndarray:
        """Intersection over union of each class, (K,); NaN for a class in neither truth nor predictions."""
        intersection = np.diag(self.counts)
        union = self.counts.sum(0) + self.counts.sum(1) - intersection
        return np.divide(intersection, union, out=np.full(self.num_classes, np.nan), where=union > 0)

    def mean_iou(self) -> float:
        """Mean of `iou` over the classes that occur.

        Raises:
            ValueError: nothing was counted.
        """
        if not self.counts.any():
            raise ValueError("no labelled pixel was counted: check the label files of the evaluation set")
        return float(np.nanmean(self.iou()))

    def state(self) -> np.ndarray:
        """The counts as a float64 vector (K * K,), to be summed over ranks."""
        return self.counts.astype(np.float64).ravel()

    def load_state(self, vector: np.ndarray) -> None:
        """Replace the counts by a vector from `state`, or a sum of such vectors."""
        self.counts = np.rint(vector).astype(np.int64).reshape(self.counts.shape)


def _check_labels(labels: np.ndarray, num_classes: int) -> None:
    """Raise ValueError when a label is outside 0..num_classes-1."""
    outside = labels[(labels < 0) | (labels >= num_classes)]
    if outside.size:
        raise ValueError(f"label {outside[0]} is outside 0..{num_classes - 1}: set class_num to the number of classes")
