"""Compile the CPU kernels ahead of their first use: python scripts/compile_kernels.py"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from src.runtime.entry import run_command
from src.runtime.kernel_library import kernel_library
from src.runtime.logs import log_to_console

SOURCES = Path(__file__).resolve().parents[1] / "src/models/layers/cpu/kernels"


def main(_argv: list[str]) -> int:
    """Say where the library is. It is no fault if there is none: the networks do without, and the log says why."""
    log_to_console()
    if library := kernel_library(SOURCES):
        print(f"CPU kernels: {library}")
    return 0


if __name__ == "__main__":
    sys.exit(run_command(main))
