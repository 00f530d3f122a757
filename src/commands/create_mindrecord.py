"""`scripts/create_mindrecord.py`: a data set as MindRecord files."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from tqdm import tqdm

from src.config import Resolved, UserError
from src.datasets.sources.mindrecord import write_mindrecord
from src.runtime.terminal import progress_shown
from src.tasks.classification.task import ClassificationTask


def create_mindrecord(resolved: Resolved) -> int:
    """Write the training and the validation images below `output`; returns the exit code."""
    config = resolved.config
    if not config.output.output:
        raise UserError("output is empty: give --output FOLDER for the MindRecord files")
    folder, task = Path(config.output.output), ClassificationTask(config, given=resolved.given)
    for split, images in (("train", task.training_folder), ("val", task.validation_folder)):
        bar = partial(tqdm, total=len(images), desc=f"writing {split}", unit="image", disable=not progress_shown())
        faults = write_mindrecord(images, folder, split, config.data.train_num_workers, bar)
        what = "left out" if split == "train" else "counted as wrong"
        print(f"{folder / split}: {len(images)} images, {len(faults)} cannot be read and are {what}")
        for path, fault in faults.items():
            print(f"  {path}: {fault}")
    return 0
