"""Whether somebody watches."""

from __future__ import annotations

import sys


def progress_shown() -> bool:
    """Progress bars are drawn on a terminal only; in a file they would be noise."""
    return sys.stderr.isatty()
