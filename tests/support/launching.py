"""The project's own launcher, with its processes on the CPU of this machine."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from src.runtime.rank_process import end_with_parent
from tests.support.processes import PROJECT_ROOT

TIME_LIMIT = 400  # seconds


def launch(
    folder: Path, num_processes: int, *words: object, options: tuple[object, ...] = ()
) -> subprocess.CompletedProcess:
    """Run a program in several processes to its end.

    Args:
        folder: where the command is given; the logs are in its launch_logs.
        words: the program and its options.
        options: of the launcher.
    """
    command = [sys.executable, PROJECT_ROOT / "scripts" / "launch.py", "--num_devices", num_processes, *options, *words]
    return subprocess.run(
        list(map(str, command)),
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(PROJECT_ROOT)},
        capture_output=True,
        text=True,
        timeout=TIME_LIMIT,
        check=False,
        preexec_fn=end_with_parent,  # noqa: PLW1509 (a test that is ended leaves nothing running)
    )
