"""Resized position tables: what a network keeps for each place of its map, for a map of another size."""

import numpy as np

CUBIC_A = -0.75  # PyTorch's, which the public networks were resized with; many others use -0.5


def resize_bicubic(table: np.ndarray, side: int) -> np.ndarray:
    """(..., H, W) -> (..., side, side), as PyTorch's `interpolate(mode="bicubic", align_corners=False)`.

    Values are points, not areas: a smaller map takes the four nearest along each axis and does not average more.
    """
    height, width = table.shape[-2:]
    resized = _cubic_weights(height, side) @ table.astype(np.float64) @ _cubic_weights(width, side).T
    return resized.astype(table.dtype)


def resize_linear(table: np.ndarray, length: int) -> np.ndarray:
    """(L, d) -> (length, d), linear between the rows, by the centres of equal parts; beyond the outer rows, those."""
    places = (np.arange(length) + 0.5) * len(table) / length - 0.5
    rows = np.arange(len(table))
    columns = [np.interp(places, rows, column) for column in table.T]
    return np.stack(columns, 1).astype(table.dtype)


def resize_tokens(table: np.ndarray, num_tokens: int, num_extra: int = 0) -> np.ndarray:
    """(1, extra + S * S, C) -> (1, num_tokens, C): a square map's tokens resized, those in front of them kept.

    ValueError where one of the two numbers is not that of a square map.
    """
    extra, table = table[:, :num_extra], table[:, num_extra:]
    before, after = (_side(number) for number in (table.shape[1], num_tokens - num_extra))
    square = table.reshape((1, before, before, -1)).transpose((0, 3, 1, 2))  # (1, C, S, S)
    resized = resize_bicubic(square, after).transpose((0, 2, 3, 1)).reshape((1, after * after, -1))
    return np.concatenate((extra, resized), 1)


def _cubic_weights(num_in: int, num_out: int) -> np.ndarray:
    """(num_out, num_in): each output as a sum of four inputs; beyond the border its last value continues."""
    centres = (np.arange(num_out) + 0.5) * (num_in / num_out) - 0.5
    first = np.floor(centres).astype(int)
    weights = np.zeros((num_out, num_in))
    for tap in range(-1, 3):
        places = np.clip(first + tap, 0, num_in - 1)
        np.add.at(weights, (np.arange(num_out), places), _cubic(np.abs(centres - (first + tap))))
    return weights


def _cubic(distance: np.ndarray) -> np.ndarray:
    """Keys' cubic convolution kernel at distances of 0 to 2."""
    d, a = distance, CUBIC_A
    near = ((a + 2) * d - (a + 3)) * d * d + 1
    far = ((d - 5) * d + 8) * d * a - 4 * a
    return np.where(d <= 1, near, far)


def _side(number: int) -> int:
    side = int(np.sqrt(number))
    if side * side != number:
        raise ValueError(f"{number} tokens are no square map")
    return side
