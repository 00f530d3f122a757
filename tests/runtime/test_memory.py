"""The pool's one block, and memory that the process gives back."""

import platform
import resource
import subprocess
import sys

import psutil
import pytest

from src.runtime.memory import return_freed_memory

# Prints the GB that the first number of a CPU's network asks for, and those that it takes.
FIRST_NUMBER = """
import os
import psutil
from src.runtime.device import prepare_process, select_device
prepare_process()
import mindspore as ms
select_device("CPU", 0, pynative=True)
select_device("CPU", 0, pynative=True)
before = psutil.Process().memory_info()
ms.ops.zeros((8,), ms.float32).asnumpy()
after = psutil.Process().memory_info()
print((after.vms - before.vms) >> 30, (after.rss - before.rss) >> 30)
"""

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


def first_number(limit: int = resource.RLIM_INFINITY) -> tuple[int, int]:
    done = subprocess.run(
        [sys.executable, "-c", FIRST_NUMBER],
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)),  # noqa: PLW1509 (no threads here)
    )
    assert done.returncode == 0, done.stderr
    asked, taken = done.stdout.split()[-2:]
    return int(asked), int(taken)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the pool is left alone elsewhere")
def test_the_pool_is_one_block_that_takes_what_is_used():
    half = psutil.virtual_memory().total >> 31
    asked, taken = first_number()
    assert max(2, min(half, 64)) <= asked <= half + 4
    assert taken == 0


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the pool is left alone elsewhere")
def test_under_a_limit_of_addresses_the_pool_stays_small():
    asked, _ = first_number(limit=psutil.virtual_memory().total // 2)
    assert asked <= 4
