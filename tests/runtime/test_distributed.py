"""Ranks, as one process sees them."""

import numpy as np

from src.runtime.distributed import gather_over_ranks, join_group
from src.runtime.placement import find_placement


def test_without_a_launcher_this_is_the_only_rank():
    assert join_group(find_placement({})) == (0, 1)


def test_one_rank_gathers_its_own_values():
    values = np.array([1.5, 2.0**40 + 1.0])
    (gathered,) = gather_over_ranks(values, rank=0, num_ranks=1)
    assert gathered.tolist() == [1.5, 1099511627777.0]
