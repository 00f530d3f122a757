"""Pyramid ViG's fixed term of the distances against its definition."""

import math

import numpy as np
import pytest

from src.models.vig.pyramid import position_embedding, relative_position


def cubic(distance, a=-0.75):
    """Keys' cubic convolution kernel."""
    d = abs(distance)
    if d <= 1:
        return (a + 2) * d**3 - (a + 3) * d**2 + 1
    return a * (d**3 - 5 * d**2 + 8 * d - 4) if d < 2 else 0.0


def shrunk(image, width):
    """(N, N) -> (N, width): bicubic, half-pixel centres, no antialiasing, border pixels repeated."""
    scale = image.shape[1] / width
    columns = []
    for place in (np.arange(width) + 0.5) * scale - 0.5:
        pixels = range(math.floor(place) - 1, math.floor(place) + 3)
        columns.append(sum(cubic(place - p) * image[:, np.clip(p, 0, image.shape[1] - 1)] for p in pixels))
    return np.stack(columns, 1)


def test_embedding_of_column_then_row():
    embedding = position_embedding(3, 8)
    sines, cosines = [math.sin(2), math.sin(0.02)], [math.cos(2), math.cos(0.02)]
    np.testing.assert_allclose(embedding[5][:4], sines + cosines)  # row 1, column 2; frequencies 1 and 0.01
    np.testing.assert_allclose(embedding[5][4:], [math.sin(1), math.sin(0.01), math.cos(1), math.cos(0.01)])


@pytest.mark.parametrize(("side", "reduction"), [(8, 4), (8, 2), (4, 2), (7, 1)])
def test_relative_position_is_the_resized_similarity(side, reduction):
    embedding = position_embedding(side, 16)
    similarity = 2 * embedding @ embedding.T / 16
    expected = -shrunk(similarity, side * side // reduction**2)[None]
    table = relative_position(side, 16, reduction)
    assert table.dtype == np.float32
    assert table.shape == expected.shape
    np.testing.assert_allclose(table, expected, atol=1e-6)


def test_a_node_is_nearest_to_itself():
    table = relative_position(7, 16, 1)[0]
    np.testing.assert_array_equal(table.argmin(1), np.arange(49))
    np.testing.assert_allclose(table.diagonal(), -1, atol=1e-6)
