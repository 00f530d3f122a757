"""What a process lacks, told by errors of many kinds, has its remedy; other errors have none."""

import errno

import pytest

from src.runtime.remedies import remedy_for

MEMORY = "lower --batch_size or --eval_batch_size, or end other programs"


@pytest.mark.parametrize(
    ("error", "remedy"),
    [
        (OSError(errno.ENOSPC, ""), "free some space"),
        (OSError(errno.EDQUOT, ""), "free some space"),
        (OSError(errno.EFBIG, ""), "allow larger files (ulimit -f), or use another drive"),
        (OSError(errno.EMFILE, ""), "allow more open files (ulimit -n)"),
        (OSError(errno.ENOENT, ""), None),
        (MemoryError(), MEMORY),
        (RuntimeError("Allocate memory failed\n\n- C++ Call Stack"), MEMORY),
        (RuntimeError("can't start new thread"), MEMORY),
        (RuntimeError("Resource temporarily unavailable"), MEMORY),
        (RuntimeError("connect to 10.0.0.1 failed: Resource temporarily unavailable"), None),
        (ValueError("out of memory"), None),
    ],
)
def test_the_remedy_of_an_error(error, remedy):
    assert remedy_for(error) == remedy
