"""LabelTable: classes of a segmentation data set with their names, colours and values in label files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

IGNORED = 255  # the class of ignored pixels
MAX_CLASSES = 254
_UNKNOWN = 254  # marks, in the lookup, a file's value that is missing from the table

Color = tuple[int, int, int]  # RGB, 0-255


@dataclass(frozen=True)
class LabelTable:
    """Classes of a data set, stored with the weights.

    Attributes:
        names: the K class names, in the order of the network's outputs.
        palette: one colour per class, RGB, 0-255.
        label_ids: the value of each class in a label file, 0-255.
        ignored: values in a label file that are neither trained nor counted; at least one.
    """

    names: tuple[str, ...]
    palette: tuple[Color, ...]
    label_ids: tuple[int, ...]
    ignored: tuple[int, ...] = (IGNORED,)

    @property
    def num_classes(self) -> int:
        """K, the number of classes."""
        return len(self.names)

    @property
    def padding(self) -> int:
        """The ignored value that fills the area outside an image."""
        return self.ignored[-1]

    def to_classes(self, values: np.ndarray) -> np.ndarray:
        """Values of a file, uint8 of any shape -> classes 0..K-1 of the same shape, uint8; IGNORED where ignored.

        Raises:
            ValueError: a value is neither a class's nor ignored.
        """
        classes = self._classes.take(values)
        if (classes == _UNKNOWN).any():
            value = int(values[classes == _UNKNOWN].flat[0])
            raise ValueError(f"value {value} is neither a class nor ignored (known: {self._known()})")
        return classes

    def to_label_ids(self, classes: np.ndarray) -> np.ndarray:
        """Classes 0..K-1 of any shape -> the files' values, uint8, of the same shape."""
        return np.asarray(self.label_ids, np.uint8)[classes]

    def to_dict(self) -> dict[str, Any]:
        """Plain lists, for a checkpoint's meta data and an exported file's card."""
        return {
            "names": list(self.names),
            "palette": [list(color) for color in self.palette],
            "label_ids": list(self.label_ids),
            "ignored": list(self.ignored),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Sequence[Any]]) -> LabelTable:
        """The table from the result of `to_dict`."""
        palette = tuple(tuple(color) for color in values["palette"])
        return cls(tuple(values["names"]), palette, tuple(values["label_ids"]), tuple(values["ignored"]))

    @cached_property
    def _classes(self) -> np.ndarray:
        """(256,) uint8: the class of each value."""
        table = np.full(256, _UNKNOWN, np.uint8)
        table[list(self.ignored)] = IGNORED
        table[list(self.label_ids)] = np.arange(self.num_classes)
        return table

    def _known(self) -> str:
        """The values as ranges: 0-33, 255."""
        values = sorted({*self.label_ids, *self.ignored})
        runs = np.split(values, np.flatnonzero(np.diff(values) > 1) + 1)
        return ", ".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else f"{run[0]}" for run in runs)
