"""Which images a network was most and least right about."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from src.metrics import softmax
from src.visualization import Prediction

NUM_LABELS = 3
PICTURE_SIDE = 224  # pixels; a report shows pictures small


class Examples:
    """Watches an evaluation: called with each batch, it remembers how sure the network was of each image.

    Args:
        files: the images in the order in which they are evaluated, those that fill up a batch included.
        class_names: one for each output.
    """

    def __init__(self, files: Sequence[Path], class_names: Sequence[str]):
        self._files, self._names = files, class_names
        self._labels: list[np.ndarray] = []
        self._best: list[np.ndarray] = []
        self._shares: list[np.ndarray] = []
        self._truths: list[np.ndarray] = []
        self._weights: list[np.ndarray] = []

    def __call__(self, logits: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> None:
        """Take a batch in: logits (B, K), labels (B,), weights (B,) with 0 for an image that fills up the batch."""
        shares = softmax(logits)
        best = np.argsort(-shares, axis=1, kind="stable")[:, :NUM_LABELS]
        self._labels.append(labels)
        self._best.append(best)
        self._shares.append(np.take_along_axis(shares, best, axis=1))
        self._truths.append(np.take_along_axis(shares, labels[:, None].astype(np.int64), axis=1)[:, 0])
        self._weights.append(weights)

    def best(self, count: int) -> list[Prediction]:
        """The images with the highest probability of their true class."""
        return [self._prediction(index) for index in self._ranked()[::-1][:count]]

    def worst(self, count: int) -> list[Prediction]:
        """The images with the lowest probability of their true class."""
        return [self._prediction(index) for index in self._ranked()[:count]]

    def _ranked(self) -> np.ndarray:
        counted = np.flatnonzero(np.concatenate(self._weights) > 0)
        return counted[np.argsort(np.concatenate(self._truths)[counted], kind="stable")]

    def _prediction(self, index: int) -> Prediction:
        best, shares = np.concatenate(self._best)[index], np.concatenate(self._shares)[index]
        image = _thumbnail(self._files[index])
        truth = self._names[int(np.concatenate(self._labels)[index])]
        labels = [self._names[number] for number in best]
        return Prediction(str(self._files[index]), image, labels, shares.tolist(), truth)


def _thumbnail(path: Path) -> np.ndarray:
    """(H, W, 3) uint8; gray where the image is no file that can be read (in MindRecord or an archive, damaged)."""
    try:
        with Image.open(path) as image:
            image.draft("RGB", (PICTURE_SIDE, PICTURE_SIDE))  # a large JPEG is decoded small
            image = image.convert("RGB")
            image.thumbnail((PICTURE_SIDE, PICTURE_SIDE))
            return np.asarray(image)
    except OSError:
        return np.full((PICTURE_SIDE, PICTURE_SIDE, 3), 200, np.uint8)
