"""Images of a classification data set with their classes, and their sources for training and evaluation."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from src.datasets.reading import EvaluationImages, Source, TrainingImages


@dataclass(frozen=True)
class LabelledSet(ABC):
    """Images with their classes, wherever their pixels are stored.

    Attributes:
        root: the folder or file by which they were found.
        class_names: in label order.
        labels: one per image.
    """

    root: Path
    class_names: tuple[str, ...]
    labels: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def left_out(self) -> tuple[str, ...]:
        """Lines about files beside the images that were not taken."""
        return ()

    @property
    @abstractmethod
    def files(self) -> tuple[Path, ...]:
        """The image files, parallel to `labels`; UserError if the images are not stored as files."""

    @abstractmethod
    def training_source(self, *, seed: int, max_bad_images: float) -> Source:
        """The images for training, by position. Arguments: see `TrainingImages`."""

    @abstractmethod
    def evaluation_source(self, positions: np.ndarray) -> tuple[Source, list[int]]:
        """A source that holds the images at `positions`, and the index of each of them in that source."""

    @abstractmethod
    def names(self, positions: np.ndarray) -> list[Path]:
        """The file of each image at `positions`, or a name for one without a file."""


@dataclass(frozen=True)
class LabelledImages(LabelledSet):
    """Image files with their classes."""

    paths: tuple[Path, ...]
    left_out: tuple[str, ...] = ()

    @property
    def files(self) -> tuple[Path, ...]:
        return self.paths

    def training_source(self, *, seed: int, max_bad_images: float) -> Source:
        return TrainingImages(self.paths, self.labels, seed=seed, max_bad_images=max_bad_images)

    def evaluation_source(self, positions: np.ndarray) -> tuple[Source, list[int]]:
        labels = [self.labels[position] for position in positions]
        return EvaluationImages(self.names(positions), labels), list(range(len(labels)))

    def names(self, positions: np.ndarray) -> list[Path]:
        return [self.paths[position] for position in positions]
