"""Image transforms of classification for training and evaluation.

They are the framework's C++ operators, except for the resize of weights that were scored with Pillow's.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from mindspore.dataset import vision
from mindspore.dataset.vision import Inter
from PIL import Image

from src.datasets.transforms.rand_augment import RandAugment

POLICIES = "none, autoaugment, trivialaugment, or RandAugment as rand-m9-mstd0.5-inc1 (also n2: operations, p0.5)"
_INTERPOLATIONS = {"bilinear": Inter.BILINEAR, "bicubic": Inter.BICUBIC}
_FILTERS = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}


@dataclass(frozen=True, kw_only=True)
class Preprocessing:
    """Image preprocessing of evaluation, stored with the weights.

    The upright image is resized, cropped in the centre, scaled to 0-1 and normalised.

    Attributes:
        image_size: side of the square network input, pixels.
        crop_pct: share of the resized image's side kept by the centre crop, 0-1.
        interpolation: bilinear or bicubic.
        mean, std: per channel (RGB), for pixel values in 0-1.
        antialias: resize and crop as Pillow and torchvision do: shrinking averages over all pixels that it covers, and
            the crop's offset is half of the rest, rounded half to even. Otherwise as OpenCV and the framework do:
            shrinking interpolates between 2 (bicubic: 4) neighbours, and the offset is rounded down.
    """

    image_size: int
    crop_pct: float
    interpolation: str
    mean: tuple[float, ...]
    std: tuple[float, ...]
    antialias: bool = False

    @property
    def resize(self) -> int:
        """Length of the shorter side before the crop, pixels (rounded down, as in the published evaluations)."""
        return int(self.image_size / self.crop_pct + 1e-6)

    def card(self) -> dict[str, Any]:
        """All that a program needs to give an exported file the same input."""
        return {
            **asdict(self),
            "orientation": "the EXIF tag is followed",
            "channels": "RGB",
            "library": "Pillow" if self.antialias else "OpenCV",
            "resize": self.resize,
            "resize_meaning": "length of the shorter side; the longer one keeps the aspect ratio and is rounded down",
            "crop_offset": "(side - image_size) / 2, rounded " + ("half to even" if self.antialias else "down"),
            "scale": 1 / 255,
            "order": ["orientation", "resize", "centre crop", "scale", "(value - mean) / std", "channels first"],
        }

    def pixels(self, image: np.ndarray) -> np.ndarray:
        """Normalisation undone: a network input (3, H, W) float -> (H, W, 3) uint8 RGB."""
        values = image.transpose(1, 2, 0) * np.asarray(self.std) + np.asarray(self.mean)
        return np.rint(np.clip(values, 0.0, 1.0) * 255.0).astype(np.uint8)


def training_transforms(
    preprocessing: Preprocessing, *, crop_min: float, hflip: float, policy: str = "none", color_jitter: float = 0.0
) -> list:
    """uint8 (H, W, 3) -> float32 (3, S, S): random resized crop, flip, policy, colour changes, normalisation.

    Args:
        crop_min: smallest share of the area kept by the random crop; 1: no random crop, but the one of evaluation.
        hflip: probability of the flip.
        policy: none, autoaugment, trivialaugment or a RandAugment notation.
        color_jitter: brightness, contrast and saturation are multiplied by factors between 1 - color_jitter and
            1 + color_jitter.

    Raises:
        ValueError: an unknown policy.
    """
    fill = tuple(round(255 * value) for value in preprocessing.mean)
    flip = [vision.RandomHorizontalFlip(hflip)] if hflip > 0 else []
    jitter = [vision.RandomColorAdjust(color_jitter, color_jitter, color_jitter)] if color_jitter > 0 else []
    changes = [*flip, *policy_operators(policy, fill), *jitter, *_normalisation(preprocessing)]
    if crop_min == 1.0:
        return [*_centre_crop(preprocessing), *changes]
    crop = vision.RandomResizedCrop(
        preprocessing.image_size, scale=(crop_min, 1.0), interpolation=_INTERPOLATIONS[preprocessing.interpolation]
    )
    return [crop, *changes]


def policy_operators(policy: str, fill: tuple[int, int, int]) -> list:
    """uint8 (H, W, 3) -> the same: the operators of an augmentation policy.

    Args:
        policy: `none`; `autoaugment`, the policy found on ImageNet (Cubuk et al., arXiv 1805.09501, table 9);
            `trivialaugment` (Mueller and Hutter, arXiv 2103.10158, the wide space); or a RandAugment notation.
        fill: colour (RGB, 0-255) of the area outside the image.

    Raises:
        ValueError: another policy or a malformed notation; the message lists the forms.
    """
    if policy in ("none", ""):
        return []
    if policy == "autoaugment":
        return [vision.AutoAugment(interpolation=Inter.BILINEAR, fill_value=fill)]
    if policy == "trivialaugment":
        return [vision.TrivialAugmentWide(interpolation=Inter.BILINEAR, fill_value=fill)]
    if not policy.startswith("rand"):
        raise ValueError(f"unknown policy '{policy}': give {POLICIES}")
    try:
        return RandAugment.parse(policy).operators(fill)
    except ValueError as error:
        raise ValueError(f"{error}: give {POLICIES}") from None


def evaluation_transforms(preprocessing: Preprocessing) -> list:
    """uint8 (H, W, 3) -> float32 (3, S, S): resize of the shorter side, centre crop, normalisation."""
    return [*_centre_crop(preprocessing), *_normalisation(preprocessing)]


class PillowCentreCrop:
    """Resize of the shorter side and centre crop, by Pillow: uint8 (H, W, 3) -> (S, S, 3)."""

    def __init__(self, preprocessing: Preprocessing):
        self._size, self._resize = preprocessing.image_size, preprocessing.resize
        self._filter = _FILTERS[preprocessing.interpolation]

    def __call__(self, pixels: np.ndarray) -> np.ndarray:
        image = Image.fromarray(pixels)
        sides = [self._resize * side // min(image.size) for side in image.size]
        left, top = (round((side - self._size) / 2) for side in sides)
        resized = image.resize(sides, self._filter)
        return np.asarray(resized.crop((left, top, left + self._size, top + self._size)))


def _centre_crop(preprocessing: Preprocessing) -> list:
    if preprocessing.antialias:
        return [PillowCentreCrop(preprocessing)]
    return [
        vision.Resize(preprocessing.resize, _INTERPOLATIONS[preprocessing.interpolation]),
        vision.CenterCrop(preprocessing.image_size),
    ]


def _normalisation(preprocessing: Preprocessing) -> list:
    mean = [255.0 * value for value in preprocessing.mean]
    std = [255.0 * value for value in preprocessing.std]
    return [vision.Normalize(mean, std, is_hwc=True), vision.HWC2CHW()]
