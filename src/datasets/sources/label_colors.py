"""Colours for classes without one: deterministic, and as distinct from each other as possible."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from src.datasets.sources.label_table import Color

LEVELS = (0, 36, 73, 109, 146, 182, 219, 255)  # 512 candidates
# Colours with another meaning in the pictures: ignored pixels, and paper.
TAKEN = ((0, 0, 0), (255, 255, 255))
_TO_XYZ = ((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505))  # sRGB, IEC 61966-2-1
_WHITE = (0.9505, 1.0, 1.089)  # D65


def complete_palette(colors: Sequence[Color | None]) -> tuple[Color, ...]:
    """`colors` with a colour in place of each None, as far from all others as possible in CIE Lab."""
    candidates = np.stack(np.meshgrid(LEVELS, LEVELS, LEVELS, indexing="ij"), -1).reshape(-1, 3)
    places = lab(candidates)
    used = [color for color in colors if color is not None]
    nearest = np.min([_distances(places, color) for color in (*TAKEN, *used)], axis=0)
    palette = []
    for color in colors:
        if color is None:
            color = tuple(int(value) for value in candidates[nearest.argmax()])
            nearest = np.minimum(nearest, _distances(places, color))
        palette.append(color)
    return tuple(palette)


def lab(colors: np.ndarray) -> np.ndarray:
    """(N, 3) RGB, 0-255 -> (N, 3) CIE Lab, in which distances approximate perceived differences."""
    values = np.asarray(colors, float) / 255
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    xyz = linear @ np.transpose(_TO_XYZ) / _WHITE
    x, y, z = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116).T
    return np.stack((116 * y - 16, 500 * (x - y), 200 * (y - z)), axis=1)


def _distances(places: np.ndarray, color: Color) -> np.ndarray:
    return np.linalg.norm(places - lab(np.array([color])), axis=1)
