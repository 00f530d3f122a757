"""The device: what must be set before MindSpore loads, and the choice of CPU, GPU or Ascend."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager

from src.config import UserError

# oneDNN inside MindSpore falls back to its reference convolution (some 100 times slower) on AVX-512
# processors; limited to AVX2 it picks the fast one.
ISA_VARIABLE = "ONEDNN_MAX_CPU_ISA"
ISA_DEFAULT = "AVX2"
# The framework warns about its own internals at level 2; a user's terminal is for the run's own lines.
LOG_LEVEL_VARIABLE = "GLOG_v"
LOG_LEVEL_DEFAULT = "3"
MAX_CALL_DEPTH = 10_000


def prepare_process() -> str:
    """Set what MindSpore reads from the environment when it loads; returns the processor's ISA limit in force.

    To be called before the first `import mindspore`. A value that the user has set is kept.
    """
    os.environ.setdefault(LOG_LEVEL_VARIABLE, LOG_LEVEL_DEFAULT)
    return os.environ.setdefault(ISA_VARIABLE, ISA_DEFAULT)


def select_device(target: str, device_id: int | None, pynative: bool) -> None:
    """Make `target` (CPU, GPU, Ascend) the device of this process, in graph mode or PyNative.

    Args:
        device_id: which accelerator of the machine; None leaves the choice to the launcher.

    Raises:
        UserError: the device is not there.
    """
    import mindspore as ms

    try:
        if target == "CPU":
            # Where operators have run already (a notebook) the framework refuses even the device that is in use.
            if ms.get_context("device_target") != "CPU":
                ms.set_device("CPU")
        elif device_id is None:
            ms.set_device(target)
        else:
            ms.set_device(target, device_id)
    except (RuntimeError, ValueError) as error:
        found = re.search(r"only supports one of the \[([^\]]*)\]", str(error))
        present = found[1].replace("'", "") if found else "CPU"
        raise UserError(
            f"device_target {target} (device_id {device_id or 0}) is not on this machine, which has {present}: "
            f"give --device_target {present.split(',')[0].strip()}"
        ) from None
    # A step over some hundred parameters is deeper than the framework's default of 1000 calls.
    ms.set_recursion_limit(MAX_CALL_DEPTH)
    ms.set_context(mode=ms.PYNATIVE_MODE if pynative else ms.GRAPH_MODE)


@contextmanager
def eagerly() -> Iterator[None]:
    """Inside, nothing is compiled; afterwards the mode is the one from before."""
    import mindspore as ms

    before = ms.get_context("mode")
    ms.set_context(mode=ms.PYNATIVE_MODE)
    try:
        yield
    finally:
        ms.set_context(mode=before)


def clamp_workers(wanted: int) -> int:
    """Threads for the data pipeline: the framework refuses more than there are cores."""
    return min(wanted, os.cpu_count() or 1)
