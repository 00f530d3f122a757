"""Image preprocessing of a segmentation network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from src.datasets.pipeline import read_all
from src.datasets.transforms.joint import Normalization, Placement, create_normalization, place_image


@dataclass(frozen=True, kw_only=True)
class ScenePreprocessing:
    """Image preprocessing of segmentation, stored with the weights.

    Attributes:
        image_size: side of the square training crop and of an evaluation window, pixels.
        rgb: (RGB / 255 - `mean`) / `std`; else BGR in 0-255 minus a fixed mean.
        mean, std: per channel (RGB), for pixel values in 0-1.
    """

    image_size: int
    rgb: bool
    mean: tuple[float, ...]
    std: tuple[float, ...]

    @property
    def normalization(self) -> Normalization:
        """The normalisation of the network's input."""
        return create_normalization(self.rgb, self.mean, self.std)

    def card(self) -> dict:
        """Card for programs that use the weights: (value - mean) / std of pixel values 0-255, in this channel order."""
        normalization = self.normalization
        order = slice(None) if self.rgb else slice(None, None, -1)
        return {
            "image_size": self.image_size,
            "channels": "RGB" if self.rgb else "BGR",
            "mean_255": normalization.mean[order],
            "std_255": normalization.std[order],
            "padding": "zeros after normalisation, below and on the right",
        }


def read_corners(files: Sequence[Path], preprocessing: ScenePreprocessing) -> np.ndarray:
    """The upper left corners of picture files, (N, 3, S, S) float32, zeros outside a picture.

    Raises:
        UserError: a file cannot be decoded.
    """
    corner = Placement(scale=1.0, top=0, left=0, flip=False)
    size, normalization = preprocessing.image_size, preprocessing.normalization
    return np.stack([place_image(image, corner, size, normalization) for image in read_all(files)])
