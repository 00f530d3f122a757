"""Ranks: the process group, and communication between processes outside the training graph."""

from __future__ import annotations

import sys

import numpy as np

from src.runtime.placement import Placement

# Sums over ranks are sent as float32 (the widest type of the CPU's all-reduce); two limbs keep integers exact up to
# 2**40.
_LIMB = float(1 << 20)


def join_group(placement: Placement) -> tuple[int, int]:
    """Join the launcher's process group; returns (rank, number of ranks). (0, 1) without a launcher.

    The scheduler process waits here for the workers and then exits.
    """
    if not placement.launcher:
        return 0, 1
    from mindspore.communication import get_group_size, get_rank, init

    init()
    if placement.is_scheduler:
        sys.exit(0)
    return get_rank(), get_group_size()


def gather_over_ranks(values: np.ndarray, rank: int, num_ranks: int) -> list[np.ndarray]:
    """The float64 arrays of all ranks, which have one shape; whole numbers are exact up to 2**40.

    One all-reduce per rank, to which the others add zeros: every device supports it, and a single all-reduce of all
    arrays would exceed the CPU's limit.
    """
    if num_ranks == 1:
        return [values]
    nothing = np.zeros_like(values)
    return [_sum_over_ranks(values if sender == rank else nothing) for sender in range(num_ranks)]


def any_rank(flag: bool) -> bool:
    """Whether the flag of any rank of a group is set. The ranks wait for each other: all must ask at the same point."""
    return bool(_sum_over_ranks(np.array([float(flag)]))[0])


def _sum_over_ranks(values: np.ndarray) -> np.ndarray:
    import mindspore as ms
    from mindspore import ops

    high = np.floor(values / _LIMB)
    limbs = np.stack([high, values - high * _LIMB]).astype(np.float32)
    summed = ops.AllReduce()(ms.Tensor(limbs)).asnumpy().astype(np.float64)
    return summed[0] * _LIMB + summed[1]
