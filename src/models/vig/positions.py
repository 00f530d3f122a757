"""The fixed term of Pyramid ViG's distances: nodes that are near in the image count as nearer."""

import numpy as np

FREQUENCY_BASE = 10000.0


def position_embedding(side: int, channels: int) -> np.ndarray:
    """(side * side, channels) float64: sines and cosines of the column, then of the row; channels / 4 frequencies."""
    num_frequencies = channels // 4
    frequencies = FREQUENCY_BASE ** (-np.arange(num_frequencies) / num_frequencies)
    rows, columns = np.divmod(np.arange(side * side), side)
    angles = [np.outer(axis, frequencies) for axis in (columns, rows)]
    return np.concatenate([wave(angle) for angle in angles for wave in (np.sin, np.cos)], 1)


def relative_position(side: int, channels: int, reduction: int) -> np.ndarray:
    """(1, N, M) float32 with N = side^2 nodes and M = N / reduction^2 key nodes: -2 E E' / channels.

    The authors shrink E E^T along its second axis, as an image of N x N pixels, by bicubic interpolation with
    a = -0.75. That is linear, so it may act on E itself. Each output pixel falls halfway between two pixels, hence one
    set of four weights; the window is a run of reduction^2 consecutive nodes, not a square of the map.
    """
    nodes = keys = position_embedding(side, channels)
    if reduction > 1:
        window = reduction**2
        left = np.arange(window // 2 - 1, len(nodes), window)
        keys = 0.59375 * (nodes[left] + nodes[left + 1]) - 0.09375 * (nodes[left - 1] + nodes[left + 2])
    return (-2.0 / channels * nodes @ keys.T)[None].astype(np.float32)
