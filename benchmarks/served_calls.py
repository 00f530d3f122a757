"""Calls that a process makes when asked, and the figures that it answers with; for beside_pytorch.py."""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable


def serve(call: Callable[[], object], num_parameters: int) -> None:
    """Print the number of trained parameters, then for each line of standard input a call's wall and processor seconds.

    At its end the peak memory, GB.
    """
    print(num_parameters, flush=True)
    for _ in sys.stdin:
        wall, processor = time.perf_counter(), time.process_time()
        call()
        print(json.dumps([time.perf_counter() - wall, time.process_time() - processor]), flush=True)
    print(json.dumps(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2), flush=True)
