"""Ranks: the one place that knows of launchers and talks between processes outside the training graph."""

from __future__ import annotations

import os
import sys

import numpy as np

# Sums over ranks travel as float32 (the CPU's all-reduce knows nothing wider); two limbs keep integers
# exact up to 2**40.
_LIMB = float(1 << 20)


def launched() -> bool:
    """Whether a launcher (msrun, or a rank table with RANK_ID) started this process as one of several."""
    return "MS_ROLE" in os.environ or {"RANK_TABLE_FILE", "RANK_ID"} <= set(os.environ)


def is_scheduler() -> bool:
    """Whether this is msrun's extra process, which runs the script only to wait for the workers."""
    return os.environ.get("MS_ROLE") == "MS_SCHED"


def join_group() -> tuple[int, int]:
    """Join the launcher's process group; returns (rank, number of ranks). (0, 1) without a launcher.

    The scheduler's process waits here for the workers and then ends.
    """
    if not launched():
        return 0, 1
    from mindspore.communication import get_group_size, get_rank, init

    init()
    if is_scheduler():
        sys.exit(0)
    return get_rank(), get_group_size()


def sum_over_ranks(values: np.ndarray, num_ranks: int) -> np.ndarray:
    """Element-wise float64 sum of a vector over all ranks; whole numbers stay exact up to 2**40."""
    if num_ranks == 1:
        return values
    import mindspore as ms
    from mindspore import ops

    high = np.floor(values / _LIMB)
    limbs = np.stack([high, values - high * _LIMB]).astype(np.float32)
    summed = ops.AllReduce()(ms.Tensor(limbs)).asnumpy().astype(np.float64)
    return summed[0] * _LIMB + summed[1]
