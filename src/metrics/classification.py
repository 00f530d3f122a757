"""Top-1 and top-5 accuracy, cross-entropy and confusion of an evaluation, accumulated over batches."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .confusion import ConfusionMatrix
from .per_class import ClassRow, rows_per_class


@dataclass(frozen=True)
class ClassificationResult:
    """Result of a classification evaluation.

    Attributes:
        num_images: images counted, without padding.
        top1: fraction of images whose best class is the truth, 0..1.
        top5: fraction of images whose truth is among the best five classes (or K if K < 5), 0..1.
        num_correct: images correct in top-1.
        num_correct_top5: images correct in top-5.
        loss: mean cross-entropy in nats; NaN if a logit was NaN.
        confusion: (K, K) int64 images, rows are the truth.
    """

    num_images: int
    top1: float
    top5: float
    num_correct: int
    num_correct_top5: int
    loss: float
    confusion: np.ndarray

    def per_class(self, class_names: Sequence[str]) -> list[ClassRow]:
        """One row per named class, in the order of `class_names`."""
        return rows_per_class(self.confusion, class_names)


def softmax(logits: np.ndarray) -> np.ndarray:
    """Probabilities of the classes, (B, K) -> (B, K) float64, without overflow for large logits."""
    logits = logits.astype(np.float64)
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


class ClassificationMetric:
    """Accumulates logits and labels; `state` and `merge` combine the counts of all ranks.

    Equal logits rank by class index, so the result does not depend on batching or on the sort used.
    An image with a NaN among its logits is wrong in top-1 and in top-5.

    Args:
        num_classes: K, the width of the logits; the data set may have fewer classes.
    """

    def __init__(self, num_classes: int):
        if num_classes < 2:
            raise ValueError(f"num_classes is {num_classes}: a classifier needs at least 2")
        self.num_classes = num_classes
        self._confusion = ConfusionMatrix(num_classes)
        self._num_correct_top5 = 0
        self._loss_sum = 0.0

    def update(self, logits: np.ndarray, labels: np.ndarray, weights: np.ndarray | None = None) -> None:
        """Count a batch.

        Args:
            logits: (B, K) float.
            labels: (B,) int, 0..K-1; -1 - k for an image of class k that could not be read: it counts as wrong.
            weights: (B,) 1 for an image, 0 for a row that only pads the batch; None counts all rows.

        Raises:
            ValueError: a counted label is outside 0..K-1.
        """
        logits, labels = np.asarray(logits, np.float64), np.asarray(labels, np.int64)
        if weights is not None:
            counted = np.asarray(weights) != 0
            logits, labels = logits[counted], labels[counted]
        logits, labels = _without_unread(logits, labels)
        self._confusion.update(_predictions(logits, labels), labels)  # refuses labels before anything counts
        self._num_correct_top5 += int(np.sum(_ranks(logits, labels) < min(5, self.num_classes)))
        self._loss_sum += float(np.sum(_cross_entropies(logits, labels)))

    def state(self) -> np.ndarray:
        """All counts as a float64 vector (2 + K * K,), for `merge`."""
        return np.concatenate(([self._num_correct_top5, self._loss_sum], self._confusion.state()))

    def merge(self, states: Sequence[np.ndarray]) -> None:
        """Replace the counts by the sum of these states, one per rank."""
        vector = np.sum(states, axis=0)
        self._num_correct_top5 = round(float(vector[0]))
        self._loss_sum = float(vector[1])
        self._confusion.load_state(vector[2:])

    @property
    def counts(self) -> tuple[int, int, int]:
        """Number of images whose class is the first, of those that have it among the first five, and of all images."""
        confusion = self._confusion.counts
        return int(np.trace(confusion)), self._num_correct_top5, int(confusion.sum())

    def compute(self) -> ClassificationResult:
        """The result of all batches so far.

        Raises:
            ValueError: no image was counted.
        """
        num_correct, num_correct_top5, num_images = self.counts
        if num_images == 0:
            raise ValueError("no image was counted: check that the evaluation set is not empty")
        return ClassificationResult(
            num_images=num_images,
            top1=num_correct / num_images,
            top5=num_correct_top5 / num_images,
            num_correct=num_correct,
            num_correct_top5=num_correct_top5,
            loss=self._loss_sum / num_images,
            confusion=self._confusion.counts.copy(),
        )


def _without_unread(logits: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Labels below 0 replaced by their classes, with uninformative logits that rank the truth last."""
    unread = (labels < 0) & (labels >= -logits.shape[1])
    labels = np.where(unread, -1 - labels, labels)
    num_classes = logits.shape[1]
    blind = -(np.arange(num_classes) == labels[:, None]).astype(np.float64)
    return np.where(unread[:, None], blind, logits), labels


def _predictions(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Best class of each row, (B, K) -> (B,); a row with a NaN gets the first wrong class."""
    broken = np.isnan(logits).any(1)
    first_wrong = (labels == 0).astype(np.int64)
    return np.where(broken, first_wrong, logits.argmax(1))


def _ranks(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Number of classes ahead of the true one, (B, K) -> (B,); K for a row with a NaN."""
    num_classes = logits.shape[1]
    labels = labels[:, None]
    true_logits = np.take_along_axis(logits, labels, 1)
    ties_ahead = (logits == true_logits) & (np.arange(num_classes) < labels)
    ranks = ((logits > true_logits) | ties_ahead).sum(1)
    return np.where(np.isnan(logits).any(1), num_classes, ranks)


def _cross_entropies(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """-log softmax at the label, (B, K) -> (B,), without overflow for large logits."""
    with np.errstate(invalid="ignore"):  # infinite logits give NaN, which the mean then shows
        shifted = logits - logits.max(1, keepdims=True)
    true_shifted = np.take_along_axis(shifted, labels[:, None], 1)[:, 0]
    return np.log(np.exp(shifted).sum(1)) - true_shifted
