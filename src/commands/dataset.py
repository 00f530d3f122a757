"""Data set commands: `--check_dataset`, `--show_batch` and `scripts/create_mindrecord.py`."""

from __future__ import annotations

import os
from itertools import chain, islice
from pathlib import Path

from src.config import Resolved, UserError
from src.config.errors import counted
from src.runtime.files import check_new, complete_folder
from src.runtime.remedies import remedy_for
from src.runtime.session import Session
from src.runtime.terminal import say
from src.tasks.create import create_task
from src.visualization import picture_sheet

NUM_SHOWN = 24  # images of --show_batch
ENDING = ".png"


def check_dataset(resolved: Resolved) -> int:
    """Print a report on the training and the validation images; returns the exit code.

    Raises:
        UserError: the data do not allow a training; the message has the first reason, the report the others.
    """
    task = create_task(resolved.config, given=resolved.given)
    problems = task.inspect()
    for problem in problems[1:]:
        say(f"another problem: {problem}")
    if problems:
        raise UserError(problems[0])
    say("Data set check passed.")
    return 0


def show_batch(resolved: Resolved) -> int:
    """Draw the first augmented training images of the first epoch with their labels; returns the exit code.

    Raises:
        UserError: the file is not a .png or cannot be written, or the data are unusable.
    """
    path = Path(resolved.config.run.show_batch)
    if path.suffix.lower() != ENDING:
        raise UserError(f"show_batch: {path} is not a {ENDING} file: give --show_batch samples{ENDING}")
    check_new("show_batch", path, resolved.config.output.overwrite)
    task = create_task(resolved.config, given=resolved.given)
    batches = task.training_dataset(Session("CPU", rank=0, num_ranks=1, isa=""), 0, 0)
    samples = chain.from_iterable(zip(*(column.asnumpy() for column in batch), strict=True) for batch in batches)
    shown = list(islice(samples, NUM_SHOWN))
    pictures, captions = zip(*(task.show(*sample) for sample in shown), strict=True)
    try:
        picture_sheet(pictures, captions, path, task.shown_colors(shown))
    except OSError as error:
        raise UserError(f"show_batch: {path} cannot be written ({error.strerror}): give another file") from None
    say(f"see {path}: {counted(len(pictures), 'training image')} as the network sees them")
    return 0


def create_mindrecord(resolved: Resolved) -> int:
    """Write the training and the validation images as MindRecord files below `output`; returns the exit code.

    Raises:
        UserError: no output folder is given, or the task does not read MindRecord files.
    """
    config = resolved.config
    if not config.output.output:
        raise UserError("output is empty: give --output FOLDER for the MindRecord files")
    folder = Path(config.output.output)
    if os.path.lexists(folder) and not (folder.is_dir() and not any(folder.iterdir())):
        raise UserError(f"output: {folder} exists already and is not an empty folder: give another --output FOLDER")
    task = create_task(config, given=resolved.given)
    try:
        with complete_folder(folder) as partial:
            task.write_records(partial)
    except OSError as error:
        if remedy_for(error):  # told by run_command
            raise
        raise UserError(f"output: {folder} cannot be written ({error.strerror}): give --output FOLDER") from None
    return 0
