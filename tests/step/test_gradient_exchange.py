"""The all-reduce carries the largest network's gradients between two processes."""

import re
import subprocess
import sys

import pytest

from tests.support.processes import PROJECT_ROOT


@pytest.mark.slow
def test_resnext152s_gradients_arrive_as_the_mean_of_two_processes():
    command = [sys.executable, "benchmarks/scaling.py", "resnext152_64x4d", "--gradients"]
    finished = subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, text=True, timeout=550, check=False)
    line = r"resnext152_64x4d: 115\.0 M gradients in \d\d messages between 2 processes: \d+\.\d\d s\n"
    assert re.fullmatch(line, finished.stdout), finished.stdout + finished.stderr
