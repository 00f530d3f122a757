"""Nodes and layers that a graph sheet shows where the user names none."""

import numpy as np
import pytest

from src.tasks.classification.graph_view import interesting_nodes, spread


def test_three_nodes_that_differ():
    pixels = np.full((32, 32, 3), 100, np.uint8)
    pixels[:, :16] += np.arange(32, dtype=np.uint8)[:, None, None]  # the right half is plain
    pixels[4, 4] = 255  # node 9 of 8 x 8
    assert interesting_nodes(pixels, 8) == {36: "centre", 9: "most contrast", 7: "plainest"}


@pytest.mark.parametrize(
    ("count", "expected"), [(4, [0, 1, 2, 3]), (8, list(range(8))), (12, [0, 2, 3, 5, 6, 8, 9, 11])]
)
def test_columns_are_spread_evenly(count, expected):
    assert spread(count, 8) == expected
