"""The kernels compiled for processors with shorter vectors than this one's, by the same tests."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.kernels import NEEDS_COMPILER

pytestmark = [NEEDS_COMPILER, pytest.mark.slow]
FOLDER = Path(__file__).parent


@pytest.mark.parametrize("processor", ["x86-64-v3", "x86-64"])
def test_kernels_agree_there(processor):
    files = [str(path) for path in sorted(FOLDER.glob("test_kernel_*.py")) if path.name != "test_kernel_networks.py"]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", *files]
    done = subprocess.run(command, env={**os.environ, "KERNELS_FOR": processor}, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
