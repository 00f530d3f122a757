"""What happens to an image: the framework's own C++ operators."""

from __future__ import annotations

from dataclasses import dataclass

from mindspore.dataset import vision
from mindspore.dataset.vision import Inter

from src.datasets.transforms.auto_augment import policy_operators

_INTERPOLATIONS = {"bilinear": Inter.BILINEAR, "bicubic": Inter.BICUBIC}


@dataclass(frozen=True, kw_only=True)
class Preprocessing:
    """How evaluation sees an image; it belongs to the weights and is stored with them.

    Attributes:
        image_size: side of the square that the network sees, pixels.
        crop_pct: share of the resized image's side that the centre crop keeps.
        interpolation: bilinear or bicubic.
        mean, std: per channel (RGB), for pixel values in 0-1.
    """

    image_size: int
    crop_pct: float
    interpolation: str
    mean: tuple[float, ...]
    std: tuple[float, ...]

    @property
    def resize(self) -> int:
        """Pixels that the shorter side is resized to before the crop (floor, as the published evaluations do)."""
        return int(self.image_size / self.crop_pct + 1e-6)


def training_transforms(
    preprocessing: Preprocessing, *, crop_min: float, hflip: float, policy: str = "none", color_jitter: float = 0.0
) -> list:
    """uint8 (H, W, 3) -> float32 (3, S, S): random resized crop, flip, policy, colour changes, normalisation.

    Args:
        crop_min: smallest share of the area that the crop keeps; 1: no random crop, the image is taken as in
            evaluation.
        hflip: probability of the flip.
        policy: none, autoaugment, trivialaugment or a RandAugment notation.
        color_jitter: brightness, contrast and saturation are multiplied by factors in 1 - color_jitter to
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


def evaluation_transforms(preprocessing: Preprocessing) -> list:
    """uint8 (H, W, 3) -> float32 (3, S, S): resize of the shorter side, centre crop, normalisation."""
    return [*_centre_crop(preprocessing), *_normalisation(preprocessing)]


def _centre_crop(preprocessing: Preprocessing) -> list:
    return [
        vision.Resize(preprocessing.resize, _INTERPOLATIONS[preprocessing.interpolation]),
        vision.CenterCrop(preprocessing.image_size),
    ]


def _normalisation(preprocessing: Preprocessing) -> list:
    mean = [255.0 * value for value in preprocessing.mean]
    std = [255.0 * value for value in preprocessing.std]
    return [vision.Normalize(mean, std, is_hwc=True), vision.HWC2CHW()]
