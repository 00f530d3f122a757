"""`train.py --show_batch samples.png`: training images as the network sees them."""

from __future__ import annotations

from itertools import chain, islice
from pathlib import Path

from src.config import Resolved, UserError
from src.runtime.session import Session
from src.tasks.create import create_task
from src.visualization import picture_sheet

NUM_SHOWN = 24
ENDING = ".png"


def show_batch(resolved: Resolved) -> int:
    """Draw the first training images of the first epoch, augmented, with their labels; returns the exit code."""
    path = Path(resolved.config.run.show_batch)
    if path.suffix.lower() != ENDING:
        raise UserError(f"show_batch: {path} is no {ENDING} file: give --show_batch samples{ENDING}")
    task = create_task(resolved.config, given=resolved.given)
    batches = task.training_dataset(Session("CPU", rank=0, num_ranks=1, isa=""), 0, 0)
    samples = chain.from_iterable(zip(*(column.asnumpy() for column in batch), strict=True) for batch in batches)
    pictures, captions = zip(*(task.show(*sample) for sample in islice(samples, NUM_SHOWN)), strict=True)
    try:
        picture_sheet(pictures, captions, path)
    except OSError as error:
        raise UserError(f"show_batch: {path} cannot be written ({error.strerror}): give another file") from None
    print(f"see {path}: {len(pictures)} training images as the network sees them")
    return 0
