"""`scripts/create_mindrecord.py`: a data set as MindRecord files."""

from __future__ import annotations

from pathlib import Path

from src.config import Resolved, UserError
from src.tasks.create import create_task


def create_mindrecord(resolved: Resolved) -> int:
    """Write the training and the validation images below `output`; returns the exit code."""
    config = resolved.config
    if not config.output.output:
        raise UserError("output is empty: give --output FOLDER for the MindRecord files")
    create_task(config, given=resolved.given).write_records(Path(config.output.output))
    return 0
