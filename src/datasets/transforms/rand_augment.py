"""RandAugment by its notation (`rand-m9-mstd0.5-inc1`), composed of the framework's C++ operators.

Cubuk et al., "RandAugment: Practical automated data augmentation with a reduced search space", arXiv 1909.13719, in the
form of the timm library, which introduced the notation. The framework's own `vision.RandAugment` has
neither the noise of the magnitude nor the increasing set, applies every drawn operation, and lacks two of them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from mindspore.dataset import vision
from mindspore.dataset.vision import Inter
from mindspore.dataset.vision.transforms import ImageTensorOperation

OPERATIONS = (
    "AutoContrast", "Equalize", "Invert", "Rotate", "Posterize", "Solarize", "SolarizeAdd", "Color", "Contrast",
    "Brightness", "Sharpness", "ShearX", "ShearY", "TranslateX", "TranslateY",
)  # fmt: skip
MAX_MAGNITUDE = 10
NUM_MAGNITUDES = 10  # equally likely values that approximate the normal distribution of the magnitude
UNIFORM_DEVIATION = 100  # a larger mstd means a uniform magnitude

# Largest rotation in degrees, shear as a slope, translation as a share of the side; either sign is as likely.
_GEOMETRIC = {"Rotate": 30.0, "ShearX": 0.3, "ShearY": 0.3, "TranslateX": 0.45, "TranslateY": 0.45}
_ENHANCING = ("Color", "Contrast", "Brightness", "Sharpness")


@dataclass(frozen=True, kw_only=True)
class RandAugment:
    """Settings of RandAugment.

    Attributes:
        magnitude: m, 0-10.
        num_operations: n, drawn with replacement for each image.
        probability: p, that a drawn operation is applied.
        deviation: mstd, of the magnitude, which is clipped to 0-10; above 100: uniform from 0 to m.
        increasing: inc, whether posterize, solarize and the enhancing operations grow stronger with the magnitude.
    """

    magnitude: float = 10.0
    num_operations: int = 2
    probability: float = 0.5
    deviation: float = 0.0
    increasing: bool = False

    @classmethod
    def parse(cls, notation: str) -> RandAugment:
        """Read `rand[-mM][-nN][-pP][-mstdS][-inc0|1]`; ValueError for anything else."""
        head, *sections = notation.split("-")
        found = [re.fullmatch(r"(mstd|inc|m|n|p)(\d+(?:\.\d+)?)", section) for section in sections]
        values = {match[1]: float(match[2]) for match in found if match}
        if head != "rand" or len(values) < len(sections):
            raise ValueError(f"'{notation}' is not a RandAugment notation")
        if not _in_range(values):
            raise ValueError(f"'{notation}' needs m in 0-10, n in 1-15, p in 0-1 and inc 0 or 1")
        return cls(
            magnitude=values.get("m", 10.0),
            num_operations=int(values.get("n", 2)),
            probability=values.get("p", 0.5),
            deviation=values.get("mstd", 0.0),
            increasing=bool(values.get("inc", 0)),
        )

    def magnitudes(self) -> list[float]:
        """Equally likely magnitudes: the middles of slices of equal probability."""
        if self.deviation == 0:
            return [self.magnitude]
        middles = [(k + 0.5) / NUM_MAGNITUDES for k in range(NUM_MAGNITUDES)]
        if self.deviation > UNIFORM_DEVIATION:
            return [self.magnitude * middle for middle in middles]
        normal = NormalDist(self.magnitude, self.deviation)
        return [min(max(normal.inv_cdf(middle), 0.0), MAX_MAGNITUDE) for middle in middles]

    def operators(self, fill: tuple[int, int, int]) -> list:
        """uint8 (H, W, 3) -> the same: one random choice per operation, all in C++, so no thread waits for Python.

        A choice is uniform over its list, so every (operation, magnitude, sign) is one entry.

        Args:
            fill: colour (RGB, 0-255) of the area outside the image.
        """
        choices = [
            make_operator(name, argument, fill)
            for magnitude in self.magnitudes()
            for name in OPERATIONS
            for argument in operation_arguments(name, magnitude, self.increasing)
        ]
        # All operators of a pipeline start from the same seed: two that draw equally often would always choose the same
        # operation. Each choice therefore draws once more per image than the one before it.
        idle = (vision.Posterize(8), 0.0)
        return [
            vision.RandomSelectSubpolicy([[*[idle] * extra, (choice, self.probability)] for choice in choices])
            for extra in range(self.num_operations)
        ]


def operation_arguments(name: str, magnitude: float, increasing: bool) -> tuple[float, float]:
    """The two equally likely arguments of an operation; 0 for the operations that take none.

    Degrees for Rotate, a slope for Shear, a share of the side for Translate, remaining bits for Posterize, the first
    inverted level for Solarize, the value added to the darker half for SolarizeAdd, a factor for the enhancing ones.
    """
    level = magnitude / MAX_MAGNITUDE
    if name in _GEOMETRIC:
        return level * _GEOMETRIC[name], -level * _GEOMETRIC[name]
    if name in _ENHANCING:
        return (1 + 0.9 * level, max(0.1, 1 - 0.9 * level)) if increasing else (0.1 + 1.8 * level,) * 2
    if name in ("Posterize", "Solarize"):
        limit = 4 if name == "Posterize" else 256
        kept = int(level * limit)
        return (limit - kept if increasing else kept,) * 2
    return (int(level * 110) if name == "SolarizeAdd" else 0,) * 2


def make_operator(name: str, argument: float, fill: tuple[int, int, int]) -> ImageTensorOperation:
    """The operator of an operation with its argument (see operation_arguments)."""
    return _OPERATORS[name](argument, fill)


class SolarizeAdd(ImageTensorOperation):
    """Adds `amount` to the levels below 128, up to 255; uint8 -> uint8. The framework has no such operator."""

    def __init__(self, amount: int):
        super().__init__()
        levels = np.arange(256)
        self.table = np.where(levels < 128, np.minimum(levels + amount, 255), levels).astype(np.uint8)

    def __call__(self, image: np.ndarray) -> np.ndarray:
        return self.table[image]

    def parse(self) -> Callable[[np.ndarray], np.ndarray]:
        """The callable for the framework's list of choices, which accepts functions as well as operators."""
        return self.__call__


def _in_range(values: dict[str, float]) -> bool:
    return (
        values.get("m", 0) <= MAX_MAGNITUDE
        and values.get("n", 1) in range(1, len(OPERATIONS) + 1)
        and values.get("p", 0) <= 1
        and values.get("inc", 0) in (0, 1)
    )


def _affine(fill: tuple[int, int, int], *, shear: tuple = (0.0, 0.0), translate: tuple = (0.0, 0.0)) -> vision.Affine:
    """Affine transform about the image's centre. Bilinear: bicubic is four times slower, and timm draws either one."""
    degrees = [math.degrees(math.atan(slope)) for slope in shear]
    return vision.Affine(0.0, translate, 1.0, degrees, Inter.BILINEAR, fill)


def _solarize(threshold: int) -> ImageTensorOperation:
    # 256 inverts nothing; Solarize has no such setting, so an identity operator stands in.
    return vision.Solarize((threshold, 255)) if threshold <= 255 else vision.Posterize(8)


_OPERATORS: dict[str, Callable[..., ImageTensorOperation]] = {
    "AutoContrast": lambda _, fill: vision.AutoContrast(),
    "Equalize": lambda _, fill: vision.Equalize(),
    "Invert": lambda _, fill: vision.Invert(),
    "Rotate": lambda degrees, fill: vision.Rotate(degrees, Inter.BILINEAR, fill_value=fill),
    "Posterize": lambda bits, fill: vision.Posterize(bits),
    "Solarize": lambda threshold, fill: _solarize(threshold),
    "SolarizeAdd": lambda amount, fill: SolarizeAdd(amount),
    "Color": lambda factor, fill: vision.AdjustSaturation(factor),
    "Contrast": lambda factor, fill: vision.AdjustContrast(factor),
    "Brightness": lambda factor, fill: vision.AdjustBrightness(factor),
    "Sharpness": lambda factor, fill: vision.AdjustSharpness(factor),
    "ShearX": lambda slope, fill: _affine(fill, shear=(slope, 0.0)),
    "ShearY": lambda slope, fill: _affine(fill, shear=(0.0, slope)),
    "TranslateX": lambda share, fill: _affine(fill, translate=(share, 0.0)),
    "TranslateY": lambda share, fill: _affine(fill, translate=(0.0, share)),
}
