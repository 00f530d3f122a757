"""The pool's one block, and memory that the process gives back."""

import platform
import resource
import subprocess
import sys

import psutil
import pytest

from src.runtime import memory

# Prints the GB that the first number of a CPU's network asks for, and those that it takes.
FIRST_NUMBER = """
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
ONLY_LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the pool is left alone elsewhere")


def resident() -> int:
    """Bytes of this process in memory."""
    return psutil.Process().memory_info().rss


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc can give back what lies between used blocks")
def test_memory_between_used_blocks_is_given_back():
    blocks = [bytearray(BLOCK) for _ in range(NUM_BLOCKS)]
    kept = blocks[::100]  # at the heap's end too, so that freeing alone does not shorten it
    blocks.clear()
    before = resident()
    memory.return_freed_memory()
    assert before - resident() > BLOCK * NUM_BLOCKS / 2
    assert len(kept) == NUM_BLOCKS / 100


def first_number(*limited: int) -> tuple[int, int]:
    """What is printed under a limit of these kinds, which is too large to matter."""
    done = subprocess.run(
        [sys.executable, "-c", FIRST_NUMBER],
        capture_output=True,
        text=True,
        preexec_fn=lambda: [resource.setrlimit(kind, (1 << 44, 1 << 44)) for kind in limited],  # noqa: PLW1509
    )
    assert done.returncode == 0, done.stderr
    asked, taken = done.stdout.split()[-2:]
    return int(asked), int(taken)


def system_grants_unused_memory() -> bool:
    return memory._OVERCOMMIT.read_text().strip() != memory._STRICT


@ONLY_LINUX
def test_the_pool_is_one_block_that_takes_what_is_used():
    asked, taken = first_number()
    half = psutil.virtual_memory().total >> 31
    expected = range(min(half, 64), half + 5) if system_grants_unused_memory() else range(5)
    assert asked in expected
    assert taken == 0


@ONLY_LINUX
@pytest.mark.parametrize("kind", [resource.RLIMIT_AS, resource.RLIMIT_DATA])
def test_under_a_limit_the_pool_stays_small(kind):
    assert first_number(kind)[0] in range(5)
