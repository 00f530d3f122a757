"""What every source of samples comes to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class LabelledImages:
    """Image files with their classes.

    Attributes:
        root: the folder or file that they were found by.
        class_names: in label order.
        files: the images.
        labels: parallel to `files`.
    """

    root: Path
    class_names: tuple[str, ...]
    files: tuple[Path, ...]
    labels: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.files)
