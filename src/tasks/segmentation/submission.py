"""Predictions as files of label ids, the form that a data set's scorer reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from src.config import UserError
from src.datasets.sources.label_table import LabelTable
from src.visualization import write_label_png


class Submission:
    """Called with each image of an evaluation, it writes the image's label ids.

    Args:
        folder: where they go; made if need be.
        files: the images in the order in which they are evaluated, those that only fill up included.
        table: has the label id of each class.
        name: an image's file in the folder.

    Raises:
        UserError: the folder cannot be made.
    """

    def __init__(self, folder: str, files: Sequence[Path], table: LabelTable, name: Callable[[Path], str]):
        self._table, self._name = table, name
        self._folder = Path(folder)
        self._files: Iterator[Path] = iter(files)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(f"submit: {folder} cannot be written ({error.strerror}): give --submit FOLDER") from None

    def __call__(self, predictions: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> None:
        """Take an image in: its classes (1, H, W); weight 0 for one that is another rank's or has been written."""
        file = next(self._files)
        if weights[0]:
            write_label_png(self._folder / self._name(file), self._table.to_label_ids(predictions[0]))
