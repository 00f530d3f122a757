"""Python programs in processes of their own, with the project on their path."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

PROJECT_ROOT = Path(__file__).resolve().parents[2]


def start_python(program: str, *arguments: object, env: dict[str, str | None] | None = None) -> subprocess.Popen:
    """Start a program text; `env` is set on top of this process's environment (None removes a variable)."""
    merged = {**os.environ, "PYTHONPATH": str(PROJECT_ROOT), **(env or {})}
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program), *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={name: value for name, value in merged.items() if value is not None},
    )


def run_python(
    program: str, *arguments: object, env: dict[str, str | None] | None = None
) -> subprocess.CompletedProcess:
    """Run a program text to its end."""
    process = start_python(program, *arguments, env=env)
    stdout, stderr = process.communicate(timeout=60)
    return subprocess.CompletedProcess(process.args, process.returncode, stdout, stderr)
