"""What happens to an image: the framework's own C++ operators."""

from __future__ import annotations

from dataclasses import dataclass

from mindspore.dataset import vision
from mindspore.dataset.vision import Inter

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


def training_transforms(preprocessing: Preprocessing, *, crop_min: float, hflip: float) -> list:
    """Encoded image -> float32 (3, H, W): random resized crop, horizontal flip, normalisation.

    Args:
        crop_min: smallest share of the area that the crop keeps; 1: no random crop, the image is taken as in
            evaluation.
        hflip: probability of the flip.
    """
    flip = [vision.RandomHorizontalFlip(hflip)] if hflip > 0 else []
    if crop_min == 1.0:
        return [*_centre_crop(preprocessing), *flip, *_normalisation(preprocessing)]
    crop = vision.RandomCropDecodeResize(
        preprocessing.image_size, scale=(crop_min, 1.0), interpolation=_INTERPOLATIONS[preprocessing.interpolation]
    )
    return [crop, *flip, *_normalisation(preprocessing)]


def evaluation_transforms(preprocessing: Preprocessing) -> list:
    """Encoded image -> float32 (3, H, W): resize of the shorter side, centre crop, normalisation."""
    return [*_centre_crop(preprocessing), *_normalisation(preprocessing)]


def _centre_crop(preprocessing: Preprocessing) -> list:
    return [
        vision.Decode(),
        vision.Resize(preprocessing.resize, _INTERPOLATIONS[preprocessing.interpolation]),
        vision.CenterCrop(preprocessing.image_size),
    ]


def _normalisation(preprocessing: Preprocessing) -> list:
    mean = [255.0 * value for value in preprocessing.mean]
    std = [255.0 * value for value in preprocessing.std]
    return [vision.Normalize(mean, std, is_hwc=True), vision.HWC2CHW()]
