"""Random erasing of normalised images: Zhong et al., arXiv 1708.04896, in the form of the timm library."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

AREA = (0.02, 1 / 3)  # of the image, of all rectangles together
LOG_ASPECT = (np.log(0.3), np.log(1 / 0.3))  # height / width
NUM_ATTEMPTS = 10  # to find a rectangle that fits


@dataclass(frozen=True, kw_only=True)
class Erasing:
    """Random erasing of rectangles.

    Attributes:
        probability: probability that an image is erased, 0-1.
        mode: fill of the rectangles: `pixel` for normal noise, `const` for zeros (the mean colour).
        count: largest number of rectangles per image, at least 1.
    """

    probability: float
    mode: str = "pixel"
    count: int = 1

    def __call__(self, images: list[np.ndarray], random: np.random.Generator) -> None:
        """Change images (3, H, W) float32 in place."""
        for image in images:
            if random.random() < self.probability:
                self._erase(image, random)

    def _erase(self, image: np.ndarray, random: np.random.Generator) -> None:
        count = random.integers(1, self.count + 1)
        for _ in range(count):
            box = draw_rectangle(image.shape[-2:], count, random)
            if box is None:
                continue
            patch = image[:, box[0] : box[1], box[2] : box[3]]
            patch[:] = random.standard_normal(patch.shape, np.float32) if self.mode == "pixel" else 0


def draw_rectangle(size: tuple[int, int], count: int, random: np.random.Generator) -> tuple[int, int, int, int] | None:
    """(top, bottom, left, right) of one of `count` rectangles; None if no attempt fits into the image."""
    height, width = size
    for _ in range(NUM_ATTEMPTS):
        area = random.uniform(*AREA) * height * width / count
        aspect = np.exp(random.uniform(*LOG_ASPECT))
        rows, columns = round((area * aspect) ** 0.5), round((area / aspect) ** 0.5)
        if rows < height and columns < width:
            top, left = random.integers(height - rows + 1), random.integers(width - columns + 1)
            return top, top + rows, left, left + columns
    return None
