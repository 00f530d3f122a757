"""Device selection (CPU, GPU, Ascend), and the environment that must be set before MindSpore loads."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager

from src.config import UserError
from src.runtime.memory import take_pool_in_one_block

# oneDNN inside MindSpore falls back to its reference convolution (some 100 times slower) on AVX-512
# processors; limited to AVX2 it picks the fast one.
ISA_VARIABLE = "ONEDNN_MAX_CPU_ISA"
ISA_DEFAULT = "AVX2"
# At level 2 the framework warns about its own internals; the terminal is for the run's own lines.
LOG_LEVEL_VARIABLE = "GLOG_v"
LOG_LEVEL_DEFAULT = "3"
MAX_CALL_DEPTH = 10_000


def prepare_process() -> str:
    """Set the environment variables that MindSpore reads when it loads; returns the processor's ISA limit.

    Must be called before the first `import mindspore`. A value set by the user is kept.
    """
    os.environ.setdefault(LOG_LEVEL_VARIABLE, LOG_LEVEL_DEFAULT)
    return os.environ.setdefault(ISA_VARIABLE, ISA_DEFAULT)


def select_device(target: str, device_id: int | None, pynative: bool) -> None:
    """Make `target` (CPU, GPU, Ascend) the device of this process, in graph or PyNative mode.

    Args:
        device_id: index of the accelerator; None leaves the choice to the launcher.

    Raises:
        UserError: the device is not available.
    """
    import mindspore as ms

    try:
        if target == "CPU":
            # Once operators have run (in a notebook), the framework refuses even the device in use.
            if ms.get_context("device_target") != "CPU":
                ms.set_device("CPU")
            take_pool_in_one_block()
        elif device_id is None:
            ms.set_device(target)
        else:
            ms.set_device(target, device_id)
    except (RuntimeError, ValueError) as error:
        found = re.search(r"only supports one of the \[([^\]]*)\]", str(error))
        present = found[1].replace("'", "") if found else "CPU"
        raise UserError(
            f"device_target {target} (device_id {device_id or 0}) is not available; this machine has {present}: "
            f"use --device_target {present.split(',')[0].strip()}"
        ) from None
    # A step over several hundred parameters exceeds the framework's default depth of 1000 calls.
    ms.set_recursion_limit(MAX_CALL_DEPTH)
    ms.set_context(mode=ms.PYNATIVE_MODE if pynative else ms.GRAPH_MODE)


def forbid_tf32(device: str) -> None:
    """Let convolutions on a GPU compute in float32, to compare numbers; by default they round to TF32, 10 bits."""
    import mindspore as ms

    if device == "GPU":
        ms.device_context.gpu.op_precision.conv_allow_tf32(False)


@contextmanager
def eagerly() -> Iterator[None]:
    """Context without compilation (PyNative); the previous mode is restored on exit."""
    import mindspore as ms

    before = ms.get_context("mode")
    ms.set_context(mode=ms.PYNATIVE_MODE)
    try:
        yield
    finally:
        ms.set_context(mode=before)


def clamp_workers(wanted: int) -> int:
    """Number of threads for the data pipeline: the framework refuses more threads than cores."""
    return min(wanted, os.cpu_count() or 1)
