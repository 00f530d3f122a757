"""Starts a golden comparison in a process of its own, so that its memory ends with it."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def holds(fixture: str, phase: str, *options: str) -> bool:
    """Whether every comparison of a fixture's phase holds; prints them, so that pytest shows them on failure.

    options: see `run.py`.
    """
    command = [sys.executable, "-m", "tests.golden.run", fixture, phase, *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=900)
    lines = done.stdout.splitlines()
    print("\n".join(line for line in lines if line.startswith("FAIL")))
    print(f"{sum(line.startswith('ok') for line in lines)} of {len(lines)} comparisons hold")
    print(done.stderr[-4000:] if done.returncode else "")
    return done.returncode == 0
