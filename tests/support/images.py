"""Small pictures on disk."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image


def write_image(path: Path, pixels: np.ndarray) -> Path:
    """Write (H, W, 3) uint8 pixels; a PNG keeps them as they are."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return path


def write_noise(path: Path, key: int, height: int = 20, width: int = 24) -> Path:
    """Write random pixels drawn from `key`."""
    return write_image(path, np.random.default_rng(key).integers(0, 256, (height, width, 3), dtype=np.uint8))


def write_class_folder(root: Path, num_images: Mapping[str, int]) -> Path:
    """Write <root>/<class>/<number>.png for each class."""
    for label, (name, count) in enumerate(num_images.items()):
        (root / name).mkdir(parents=True, exist_ok=True)
        for number in range(count):
            write_noise(root / name / f"{number}.png", key=1000 * label + number)
    return root
