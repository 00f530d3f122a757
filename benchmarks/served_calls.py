"""Calls that a process makes when asked, and the figures that it answers with; for beside_pytorch.py."""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable


def serve(
    call: Callable[[], object], num_parameters: int, *, num_steps: int = 1, peak: Callable[[], float] | None = None
) -> None:
    """Print the number of trained parameters, then for each line of standard input a call's wall and processor seconds.

    At its end the peak memory, GB: `peak()`, or that of the process.

    Args:
        num_steps: what a call does so many times; its seconds are divided by it.
    """
    print(num_parameters, flush=True)
    for _ in sys.stdin:
        wall, processor = time.perf_counter(), time.process_time()
        call()
        wall, processor = time.perf_counter() - wall, time.process_time() - processor
        print(json.dumps([wall / num_steps, processor / num_steps]), flush=True)
    print(json.dumps(peak() if peak else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2), flush=True)


def repeated(step: Callable[[], object], num_steps: int, wait: Callable[[object], object]) -> Callable[[], object]:
    """A call of `num_steps` steps, one queued behind the other, that waits for the last one's result."""

    def call() -> object:
        for _ in range(num_steps - 1):
            step()
        return wait(step())

    return call
