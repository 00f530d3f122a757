"""Memory that the process gives back."""

import platform

import psutil
import pytest

from src.runtime.memory import return_freed_memory

BLOCK, NUM_BLOCKS = 50_000, 2000


def resident() -> int:
    """Bytes of this process in memory."""
    return psutil.Process().memory_info().rss


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc can give back what lies between used blocks")
def test_memory_between_used_blocks_is_given_back():
    blocks = [bytearray(BLOCK) for _ in range(NUM_BLOCKS)]
    kept = blocks[::100]  # at the heap's end too, so that freeing alone does not shorten it
    blocks.clear()
    before = resident()
    return_freed_memory()
    assert before - resident() > BLOCK * NUM_BLOCKS / 2
    assert len(kept) == NUM_BLOCKS / 100
