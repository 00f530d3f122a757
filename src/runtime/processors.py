"""Number of processors that this process may use: those that it may run on, within the time that its container has."""

from __future__ import annotations

import math
import os
from contextlib import suppress
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")


def num_processors() -> int:
    """At least 1; a container's limit of 1.5 processors (Docker's --cpus, cpu.max of its control group) counts as 2.

    Raises:
        AttributeError: not on Linux.
    """
    return max(1, math.ceil(min(len(os.sched_getaffinity(0)), _limit())))


def _limit() -> float:
    """Processor time that the control group has in a second, in seconds; infinite without a limit."""
    with suppress(OSError, ValueError):  # not there, or "max"
        quota, period = map(int, (CGROUPS / "cpu.max").read_text().split())
        return quota / period
    with suppress(OSError, ValueError):  # the first version of control groups
        quota, period = (int((CGROUPS / "cpu" / f"cpu.cfs_{name}_us").read_text()) for name in ("quota", "period"))
        return quota / period if quota > 0 else math.inf
    return math.inf
