"""A small image folder of real pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from src.datasets.synthetic.digits import load_digits
from tests.support.images import write_image

NUM_TRAINING, NUM_VALIDATION = 64, 20


def write_few_digits(folder: Path, num_training: int = NUM_TRAINING, num_validation: int = NUM_VALIDATION) -> Path:
    """Write <folder>/{train,val}/{0..9}/<number>.png of 32 pixels square, the first digits."""
    levels, labels = load_digits()
    for number in range(num_training + num_validation):
        split = "train" if number < num_training else "val"
        pixels = np.round(levels[number] / 16.0 * 255.0).astype(np.uint8)
        enlarged = np.kron(pixels, np.ones((4, 4), np.uint8))
        rgb = np.repeat(enlarged[:, :, None], 3, axis=2)
        write_image(folder / split / str(labels[number]) / f"{number:04d}.png", rgb)
    return folder
