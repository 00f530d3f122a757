"""Version of the project's code, for reports."""

from __future__ import annotations

import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TIMEOUT = 10  # seconds


def code_version() -> str:
    """The commit of the project's folder, "+" after it if files have changed since; "unknown" without git."""
    # The folder's own repository alone: a copy of the project may lie inside another one.
    own = ["git", "-C", str(ROOT), "--git-dir", ".git"]
    describe = [*own, "describe", "--always", "--abbrev=12", "--exclude=*", "--dirty=+"]
    try:
        answer = subprocess.run(describe, capture_output=True, text=True, timeout=TIMEOUT, check=True)
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return answer.stdout.strip()
