"""Best and worst images of a segmentation network's evaluation, for the report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path

import numpy as np

from src.datasets.decoding import Unreadable, read_image
from src.metrics import SegmentationMetric
from src.visualization import SegmentedImage

GRAY = 200
NUM_KEPT = 4  # best and worst images each; a Cityscapes prediction takes 2 MB


@dataclass(frozen=True)
class _Scored:
    score: float
    file: Path
    prediction: np.ndarray
    truth: np.ndarray


class SceneExamples:
    """Observer of an evaluation that keeps the images with the highest and lowest mean IoU.

    The mean IoU of single images ranks them; it is not the score of the data set.

    Args:
        files: the images in the order of evaluation, padding included.
        num_classes: K.
        ignore_label: label of the pixels that are not counted.
    """

    def __init__(self, files: Sequence[Path], num_classes: int, ignore_label: int):
        self._files: Iterator[Path] = iter(files)
        self._num_classes, self._ignore_label = num_classes, ignore_label
        self._ranked: list[_Scored] = []  # best first

    def __call__(self, predictions: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> None:
        """Rank one image: predicted classes and labels (1, H, W), weight (1,), 0 for padding."""
        file = next(self._files)
        metric = SegmentationMetric(self._num_classes, self._ignore_label)
        metric.update(predictions, labels, weights)
        if not metric.state().any():
            return
        truth = np.where(labels[0] < 0, -1 - labels[0], labels[0]).astype(np.uint8)
        item = _Scored(metric.compute().mean_iou, file, predictions[0], truth)
        ranked = sorted([*self._ranked, item], key=lambda scored: -scored.score)
        self._ranked = ranked if len(ranked) <= 2 * NUM_KEPT else ranked[:NUM_KEPT] + ranked[-NUM_KEPT:]

    def best(self) -> list[SegmentedImage]:
        """The best images, best first; at most half of all."""
        return [_segmented(item) for item in self._ranked[: self._num_best]]

    def worst(self) -> list[SegmentedImage]:
        """The worst images, worst first, without the best."""
        return [_segmented(item) for item in self._ranked[self._num_best :][::-1]]

    @property
    def _num_best(self) -> int:
        return ceil(len(self._ranked) / 2)


def _segmented(item: _Scored) -> SegmentedImage:
    try:
        pixels = read_image(item.file)
    except Unreadable:  # it counted as wrong
        pixels = np.full((*item.truth.shape, 3), GRAY, np.uint8)
    return SegmentedImage(item.file.stem, pixels, item.prediction, item.truth, item.score)
