"""Mixup (Zhang et al., arXiv 1710.09412) and cutmix (Yun et al., arXiv 1905.04899) within a batch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Mix:
    """Mixture of an image with its partner: a blend with weights (share, 1 - share), or a pasted box of the partner.

    Attributes:
        share: weight of the image in its target, 0-1.
        box: (top, bottom, left, right) in pixels of the pasted part; None: blend.
    """

    share: float = 1.0
    box: tuple[int, int, int, int] | None = None

    def apply(self, plane: np.ndarray, partner: np.ndarray) -> None:
        """Change one channel (H, W) float32 of the image in place."""
        if self.box is not None:
            top, bottom, left, right = self.box
            plane[top:bottom, left:right] = partner[top:bottom, left:right]
        elif self.share < 1.0:
            plane *= np.float32(self.share)
            plane += np.float32(1.0 - self.share) * partner


@dataclass(frozen=True, kw_only=True)
class Mixing:
    """Mixing of a batch of B images; image i has image B - 1 - i as its partner.

    Attributes:
        class_num: width of the targets.
        label_smoothing: share of each label that is spread over all classes before mixing, 0-1.
        mixup, cutmix: alpha of the Beta distribution of the share; 0: off.
        probability: probability of mixing, 0-1.
        switch_prob: probability of cutmix if both are on, 0-1.
        mode: `batch` draws once per batch, `pair` once per pair of partners, `elem` once per image.
    """

    class_num: int
    label_smoothing: float = 0.0
    mixup: float = 0.0
    cutmix: float = 0.0
    probability: float = 1.0
    switch_prob: float = 0.5
    mode: str = "batch"

    def __call__(self, images: list[np.ndarray], labels: list[int], random: np.random.Generator) -> np.ndarray:
        """Mix B images (3, H, W) float32 in place; returns their targets (B, class_num) float32."""
        mixes = self._draw_all(len(images), images[0].shape[-2:], random)
        for first in range(len(images) // 2):
            last = len(images) - 1 - first
            # Channel by channel, so two planes and a copy fit into the processor's cache.
            for plane, partner in zip(images[first], images[last], strict=True):
                unmixed = plane.copy()
                mixes[first].apply(plane, partner)
                mixes[last].apply(partner, unmixed)
        shares = np.array([[mix.share] for mix in mixes], np.float32)
        targets = smooth_targets(labels, self.class_num, self.label_smoothing)
        return shares * targets + (1 - shares) * targets[::-1]

    def _draw_all(self, num_images: int, size: tuple[int, int], random: np.random.Generator) -> list[Mix]:
        if self.mode == "batch":
            return [self._draw(size, random)] * num_images
        if self.mode == "elem":
            return [self._draw(size, random) for _ in range(num_images)]
        half = [self._draw(size, random) for _ in range(num_images // 2)]
        alone = [Mix()] * (num_images % 2)
        return [*half, *alone, *reversed(half)]

    def _draw(self, size: tuple[int, int], random: np.random.Generator) -> Mix:
        if random.random() >= self.probability:
            return Mix()
        cut = self.cutmix > 0 and (self.mixup == 0 or random.random() < self.switch_prob)
        if not cut:
            return Mix(random.beta(self.mixup, self.mixup))
        return cut_box(1.0 - random.beta(self.cutmix, self.cutmix), size, random)


def cut_box(area: float, size: tuple[int, int], random: np.random.Generator) -> Mix:
    """A box with the image's aspect ratio and about `area` (0-1) of it, centred anywhere and clipped at the border."""
    height, width = size
    half_height, half_width = int(height * area**0.5) // 2, int(width * area**0.5) // 2
    y, x = random.integers(height), random.integers(width)
    top, bottom = max(0, y - half_height), min(height, y + half_height)
    left, right = max(0, x - half_width), min(width, x + half_width)
    return Mix(1.0 - (bottom - top) * (right - left) / (height * width), (top, bottom, left, right))


def smooth_targets(labels: list[int], class_num: int, label_smoothing: float) -> np.ndarray:
    """(B,) labels -> (B, class_num) float32: 1 - s at the label, and s / class_num everywhere on top of it."""
    targets = np.full((len(labels), class_num), label_smoothing / class_num, np.float32)
    targets[np.arange(len(labels)), labels] += np.float32(1.0 - label_smoothing)
    return targets
