"""A handful of noise in Cityscapes' layout."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from src.datasets.sources.scene_pairs import ScenePair
from tests.support.images import write_noise


def write_pair(root: Path, split: str, number: int, height: int = 24, width: int = 40, city: str = "ulm") -> ScenePair:
    """Write an image of noise, and label ids 0-33 in blocks of 4 pixels; both drawn from `number`."""
    name = f"{city}_{number:06d}_000019"
    image = write_noise(root / f"leftImg8bit/{split}/{city}/{name}_leftImg8bit.png", number, height, width)
    blocks = np.random.default_rng((number, 1)).integers(0, 34, (height // 4, width // 4), dtype=np.uint8)
    label = write_gray(root / f"gtFine/{split}/{city}/{name}_gtFine_labelIds.png", blocks.repeat(4, 0).repeat(4, 1))
    return ScenePair(image, label)


def write_few_scenes(root: Path) -> Path:
    """Write 4 pairs to train on, 3 to validate on, all of 64 x 48 pixels."""
    for split, numbers in (("train", range(4)), ("val", range(10, 13))):
        for number in numbers:
            write_pair(root, split, number, height=48, width=64)
    return root


def write_gray(path: Path, values: np.ndarray) -> Path:
    """Write (H, W) values as a PNG of their own depth."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values).save(path)
    return path
