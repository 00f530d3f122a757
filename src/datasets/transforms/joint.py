"""Joint transforms of an image and its label (scale, crop, flip), and the normalisation of pixel values.

Source: the training recipe of DGCNet (L. Zhang et al., BMVC 2019): scale by 0.7 to 2.1, pad, crop a square, flip.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

SCALES = tuple(round(0.7 + 0.1 * step, 1) for step in range(15))
# Mean of the ImageNet weights that take BGR values in 0-255; they use no standard deviation.
BGR_MEAN = (104.00698793, 116.66876762, 122.67891434)
LUMA = (0.299, 0.587, 0.114)  # of R, G, B (ITU-R BT.601)


@dataclass(frozen=True)
class Normalization:
    """(value - mean) / std of RGB pixel values 0-255, in the network's channel order (RGB or BGR)."""

    mean: tuple[float, ...]  # of R, G, B
    std: tuple[float, ...]
    is_rgb: bool = True

    def __call__(self, pixels: np.ndarray) -> np.ndarray:
        """(3, H, W) float32 RGB, 0-255 -> (3, H, W) float32 in the network's order; `pixels` is overwritten."""
        for channel, mean, std in zip(pixels, self.mean, self.std, strict=True):
            channel -= np.float32(mean)
            channel *= np.float32(1 / std)
        return pixels if self.is_rgb else pixels[::-1]

    def pixels(self, image: np.ndarray) -> np.ndarray:
        """Normalisation undone: a network input (3, H, W) float -> (H, W, 3) uint8 RGB."""
        channels = image if self.is_rgb else image[::-1]
        values = channels.transpose(1, 2, 0) * np.float32(self.std) + np.float32(self.mean)
        return np.rint(np.clip(values, 0, 255)).astype(np.uint8)


def create_normalization(rgb: bool, mean: Sequence[float], std: Sequence[float]) -> Normalization:
    """The normalisation with which a network was trained.

    Args:
        rgb: RGB / 255 with `mean` and `std` for values in 0-1; else BGR in 0-255 minus a fixed mean, without effect of
            these two.
    """
    if rgb:
        return Normalization(tuple(255.0 * value for value in mean), tuple(255.0 * value for value in std))
    return Normalization(BGR_MEAN[::-1], (1.0, 1.0, 1.0), is_rgb=False)


@dataclass(frozen=True, kw_only=True)
class JointAugmentation:
    """Random augmentation of training.

    Attributes:
        input_size: side of the square crop, pixels.
        scales: scale factors, one of which is drawn per sample.
        hflip: probability of a horizontal flip, 0-1.
        color_jitter: brightness, contrast and saturation are multiplied by factors between 1 - color_jitter and
            1 + color_jitter; 0: unchanged.
    """

    input_size: int
    scales: tuple[float, ...] = SCALES
    hflip: float = 0.5
    color_jitter: float = 0.0


@dataclass(frozen=True)
class Placement:
    """Position of the crop in the scaled image (pixels, before the flip), and the colour factors."""

    scale: float
    top: int
    left: int
    flip: bool
    colors: tuple[float, float, float] = (1.0, 1.0, 1.0)  # brightness, contrast, saturation


def draw_placement(rng: np.random.Generator, height: int, width: int, augmentation: JointAugmentation) -> Placement:
    """A random crop of an image of this size. Where a side is shorter than the crop, the crop starts at the image's
    edge, so padding is at the bottom and on the right."""
    scale = augmentation.scales[rng.integers(len(augmentation.scales))]
    top, left = (
        int(rng.integers(max(scaled_side(side, scale) - augmentation.input_size, 0) + 1)) for side in (height, width)
    )
    flip = bool(rng.random() < augmentation.hflip)
    jitter = augmentation.color_jitter
    return Placement(scale, top, left, flip, tuple(1 + jitter * rng.uniform(-1, 1, 3)))


def scaled_side(side: int, scale: float) -> int:
    """Length of a side after scaling, pixels."""
    return round(side * scale)


@dataclass(frozen=True)
class AxisSamples:
    """Source pixels of a crop along one axis.

    Attributes:
        first, last: the required span of source pixels, last excluded.
        low, high: (N,) the two neighbours of each pixel, relative to `first`.
        weight: (N,) float32, weight of `high`.
        nearest: (N,) the nearest source pixel, relative to `first`.
    """

    first: int
    last: int
    low: np.ndarray
    high: np.ndarray
    weight: np.ndarray
    nearest: np.ndarray


def axis_samples(side: int, scale: float, offset: int, length: int) -> AxisSamples:
    """Sample positions of the scaled pixels from `offset` to `offset + length`, or to the end of the scaled axis.

    Pixel t of the scaled axis has its centre at (t + 0.5) / scale of the source axis, whose pixel i has its centre at
    i + 0.5; beyond the outer centres the edge value is repeated. Each pixel depends on its own t only, so cropping
    before or after scaling gives the same result. Labels use the nearest centre (the original code used the pixel
    half a step to the upper left).
    """
    centres = (np.arange(offset, min(offset + length, scaled_side(side, scale))) + 0.5) / scale
    positions = np.clip(centres - 0.5, 0, side - 1)
    low = np.floor(positions).astype(np.intp)
    high = np.minimum(low + 1, side - 1)
    nearest = np.minimum(np.floor(centres).astype(np.intp), side - 1)
    first, last = int(low[0]), int(high[-1]) + 1
    weight = (positions - low).astype(np.float32)
    return AxisSamples(first, last, low - first, high - first, weight, nearest - first)


def place_image(image: np.ndarray, placement: Placement, input_size: int, normalization: Normalization) -> np.ndarray:
    """The crop of an image (H, W, 3) uint8, RGB: (3, S, S) float32, normalised; 0 in the padding.

    Only the part that the crop needs is scaled; values are not rounded to integers in between.
    """
    rows, columns = _samples(image, placement, input_size)
    source = image[rows.first : rows.last, columns.first : columns.last]
    pixels = np.stack([_interpolate(source[..., channel], rows, columns) for channel in range(3)])
    pixels = normalization(_color(pixels, *placement.colors))
    return _pad_and_flip(pixels, placement, input_size, 0)


def place_label(label: np.ndarray, placement: Placement, input_size: int, padding: int) -> np.ndarray:
    """The crop of a label (H, W) uint8: (S, S) uint8; `padding` outside the image."""
    rows, columns = _samples(label, placement, input_size)
    source = label[rows.first : rows.last, columns.first : columns.last]
    return _pad_and_flip(source[rows.nearest][:, columns.nearest], placement, input_size, padding)


def whole_image(image: np.ndarray, normalization: Normalization) -> np.ndarray:
    """A whole image (H, W, 3) uint8, RGB, for evaluation: (3, H, W) float32, normalised."""
    pixels = image.transpose(2, 0, 1).astype(np.float32, order="C")
    return np.ascontiguousarray(normalization(pixels))


def _samples(image: np.ndarray, placement: Placement, input_size: int) -> tuple[AxisSamples, AxisSamples]:
    return (
        axis_samples(image.shape[0], placement.scale, placement.top, input_size),
        axis_samples(image.shape[1], placement.scale, placement.left, input_size),
    )


def _interpolate(source: np.ndarray, rows: AxisSamples, columns: AxisSamples) -> np.ndarray:
    """One channel, (h, w) uint8 -> float32 at the sampled positions, first along rows, then along columns."""
    source = source.astype(np.float32)
    upper, lower = source[rows.low], source[rows.high]
    upper += (lower - upper) * rows.weight[:, None]
    left, right = upper.take(columns.low, axis=1), upper.take(columns.high, axis=1)
    right -= left
    right *= columns.weight
    left += right
    return left


def _color(pixels: np.ndarray, brightness: float, contrast: float, saturation: float) -> np.ndarray:
    """(3, H, W) float32 RGB, 0-255, with its colours multiplied; overwritten."""
    if brightness == contrast == saturation == 1:
        return pixels
    pixels *= np.float32(brightness)
    gray = np.tensordot(np.float32(LUMA), pixels, 1)
    pixels += (gray - pixels) * np.float32(1 - saturation)
    pixels += (gray.mean() - pixels) * np.float32(1 - contrast)
    return np.clip(pixels, 0, 255, out=pixels)


def _pad_and_flip(values: np.ndarray, placement: Placement, input_size: int, padding: int) -> np.ndarray:
    height, width = values.shape[-2:]
    padded = np.full((*values.shape[:-2], input_size, input_size), padding, values.dtype)
    padded[..., :height, :width] = values
    return np.ascontiguousarray(padded[..., ::-1]) if placement.flip else padded
