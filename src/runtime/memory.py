"""Memory of this process that the operating system could use."""

from __future__ import annotations

import ctypes
from contextlib import suppress


def return_freed_memory() -> None:
    """Give freed memory back to the system, where the C library can (glibc); else it stays the process's.

    Compiling a graph frees hundreds of thousands of small blocks, which the step's large ones do not fit into.
    """
    with suppress(AttributeError, OSError, TypeError):  # a library without the call; Windows
        ctypes.CDLL(None).malloc_trim(0)
