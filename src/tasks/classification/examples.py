"""Most and least confidently classified validation images, for the report."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from pathlib import Path

import numpy as np

from src.datasets.decoding import Unreadable, read_image
from src.metrics import softmax
from src.visualization import Prediction, small_picture

NUM_LABELS = 3
PICTURE_SIDE = 224  # pixels; reports show thumbnails


class Examples:
    """Observer of an evaluation that keeps the predicted probabilities of each image.

    Args:
        files: the images in the order of evaluation, padding included.
        class_names: one for each output.
    """

    def __init__(self, files: Sequence[Path], class_names: Sequence[str]):
        self._files, self._names = files, class_names
        self._labels: list[np.ndarray] = []
        self._best: list[np.ndarray] = []
        self._probabilities: list[np.ndarray] = []
        self._truths: list[np.ndarray] = []
        self._right: list[np.ndarray] = []
        self._weights: list[np.ndarray] = []

    def __call__(self, logits: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> None:
        """Add a batch: logits (B, K), labels (B,), -1 - k if unreadable, weights (B,), 0 for padding."""
        unread, labels = labels < 0, np.where(labels < 0, -1 - labels, labels)
        shares = softmax(logits)
        best = np.argsort(-shares, axis=1, kind="stable")[:, :NUM_LABELS]
        self._labels.append(labels)
        self._best.append(best)
        self._probabilities.append(np.take_along_axis(shares, best, axis=1))
        truths = np.take_along_axis(shares, labels[:, None].astype(np.int64), axis=1)[:, 0]
        self._truths.append(np.where(unread, 0.0, truths))
        self._right.append((best[:, 0] == labels) & ~unread)
        self._weights.append(weights)

    def best(self, count: int) -> list[Prediction]:
        """The right images with the highest probability of their true class, at most half of all images."""
        return [self._prediction(index) for index in self._best_indices(count)]

    def worst(self, count: int) -> list[Prediction]:
        """The images with the lowest probability of their true class, without those of `best(count)`."""
        best = set(self._best_indices(count))
        chosen = [index for index in self._ranked() if index not in best][:count]
        return [self._prediction(index) for index in chosen]

    def _best_indices(self, count: int) -> list[int]:
        ranked, right = self._ranked()[::-1], np.concatenate(self._right)
        return [index for index in ranked[: ceil(len(ranked) / 2)] if right[index]][:count]

    def _ranked(self) -> list[int]:
        counted = np.flatnonzero(np.concatenate(self._weights) > 0)
        return counted[np.argsort(np.concatenate(self._truths)[counted], kind="stable")].tolist()

    def _prediction(self, index: int) -> Prediction:
        best, shares = np.concatenate(self._best)[index], np.concatenate(self._probabilities)[index]
        image = _thumbnail(self._files[index])
        truth = self._names[int(np.concatenate(self._labels)[index])]
        labels = [self._names[number] for number in best]
        return Prediction(str(self._files[index]), image, labels, shares.tolist(), truth)


def _thumbnail(path: Path) -> np.ndarray:
    """Thumbnail (H, W, 3) uint8; gray if the image cannot be read as a file (MindRecord, archive, damaged)."""
    try:
        return small_picture(read_image(path), PICTURE_SIDE)
    except Unreadable:
        return np.full((PICTURE_SIDE, PICTURE_SIDE, 3), 200, np.uint8)
