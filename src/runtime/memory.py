"""Memory of this process: how the framework's pool takes it, and what the system gets back."""

from __future__ import annotations

import ctypes
import os
import sys
from contextlib import suppress
from pathlib import Path

_OVERCOMMIT = Path("/proc/sys/vm/overcommit_memory")
_STRICT = "2"  # there: no more is granted than there is
_SMALLEST_BLOCK, _LARGEST_BLOCK = 2, 64  # GB


def take_pool_in_one_block() -> None:
    """Let the framework's memory pool on the CPU be one block; what is not used of it takes no memory.

    Between several blocks, of 2 GB each, gaps are left that large maps do not fit into: a step of ResNeXt152 takes 6.2
    instead of 5.3 GB. The pool stays as it is where memory must be there when it is asked for, and in a process
    that has chosen already.
    """
    import mindspore as ms

    if _grants_unused_memory():
        with suppress(RuntimeError):  # chosen already
            ms.runtime.set_memory(init_size=f"{_block_size()}GB")


def _grants_unused_memory() -> bool:
    if not sys.platform.startswith("linux"):
        return False
    import resource

    limits = [resource.getrlimit(kind)[0] for kind in (resource.RLIMIT_AS, resource.RLIMIT_DATA)]
    return set(limits) == {resource.RLIM_INFINITY} and _OVERCOMMIT.read_text().strip() != _STRICT


def _block_size() -> int:
    """GB: half of the machine's memory."""
    half = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    return max(_SMALLEST_BLOCK, min(half >> 30, _LARGEST_BLOCK))


def return_freed_memory() -> None:
    """Give freed memory back to the system, where the C library can (glibc); else it stays the process's.

    Compiling a graph frees hundreds of thousands of small blocks, which the step's large ones do not fit into.
    """
    with suppress(AttributeError, OSError, TypeError):  # a library without the call; Windows
        ctypes.CDLL(None).malloc_trim(0)
