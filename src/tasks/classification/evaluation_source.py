"""What an evaluation of image folders or MindRecord files reads."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from src.datasets.reading import EvaluationImages, Source
from src.datasets.sources.labelled import LabelledImages
from src.datasets.sources.mindrecord import RecordedImages, RecordSource


def evaluation_files(images: LabelledImages | RecordedImages, positions: np.ndarray) -> list[Path]:
    """Where the samples of `positions` are; one inside a MindRecord file has its number for a name."""
    if isinstance(images, RecordedImages):
        return [Path(f"image {position}") for position in positions]
    return [images.files[position] for position in positions]


def evaluation_source(images: LabelledImages | RecordedImages, positions: np.ndarray) -> tuple[Source, list[int]]:
    """What holds the samples, and where in it those of `positions` are."""
    if isinstance(images, RecordedImages):
        return RecordSource(images), positions.tolist()
    files = evaluation_files(images, positions)
    return EvaluationImages(files, [images.labels[position] for position in positions]), list(range(len(files)))
