"""Training samples of classification as pictures with captions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from src.datasets.transforms.image import Preprocessing


def seen_pixels(image: np.ndarray, preprocessing: Preprocessing) -> np.ndarray:
    """A network's input (3, H, W) float as a picture (H, W, 3) uint8: the normalisation taken back."""
    pixels = image.transpose(1, 2, 0) * np.asarray(preprocessing.std) + np.asarray(preprocessing.mean)
    return np.rint(np.clip(pixels, 0.0, 1.0) * 255.0).astype(np.uint8)


def caption(label: np.ndarray, class_names: Sequence[str]) -> str:
    """A label, or a mixture's two largest shares, in words."""
    if label.ndim == 0:
        return class_names[int(label)]
    best = [index for index in np.argsort(-label, kind="stable")[:2] if label[index] >= 0.05]
    return " + ".join(f"{label[index]:.0%} {class_names[index]}" for index in best)
