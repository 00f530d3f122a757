"""Report of `--check_dataset` on pairs of image and label: unusable files and the pixels of each class."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from tqdm import tqdm

from src.config import UserError
from src.datasets.reading import too_many_bad
from src.datasets.sources.label_table import LabelTable
from src.datasets.sources.scene_pairs import ScenePair, inspect_pairs
from src.runtime.device import clamp_workers
from src.runtime.terminal import progress_shown, say

if TYPE_CHECKING:
    from src.tasks.segmentation.task import SegmentationTask


def check_scenes(task: SegmentationTask) -> list[str]:
    """Print a report on the training and validation images; returns the problems that prevent a training."""
    problems = _report(task, "training")
    if task.config.eval.eval_interval:
        problems += _report(task, "validation")
    return list(dict.fromkeys(problems))  # one list file may serve for both


def _report(task: SegmentationTask, what: str) -> list[str]:
    """Decode all pairs and print a report; returns the problems found."""
    try:
        pairs, problems = task.source.scan(*(task.training_place if what == "training" else task.evaluation_place))
    except UserError as error:
        return [str(error)]
    pixels, broken, faults = _inspect(task, pairs, what)
    num_unusable = len(problems) + len(broken) + len(faults)
    say(f"{what} images: {len(pairs) + len(problems)}, of which {num_unusable} cannot be used")
    for line in class_lines(pixels, task.table):
        say(line)
    for path, fault in faults.items():
        say(f"  {path}: {fault}")
    problems += broken
    limit = task.config.data.max_bad_images
    if what == "training" and len(faults) > limit * len(pairs):
        problems.append(too_many_bad(faults, len(pairs), limit))
    if what == "training" and not problems:
        try:
            task.steps_per_epoch(num_ranks=1)
        except UserError as error:
            problems.append(str(error))
    return problems


def _inspect(
    task: SegmentationTask, pairs: Sequence[ScenePair], what: str
) -> tuple[np.ndarray, list[str], dict[Path, str]]:
    num_threads = clamp_workers(task.config.data.train_num_workers)
    with tqdm(total=len(pairs), desc=f"checking {what} images", unit="image", disable=not progress_shown()) as bar:
        return inspect_pairs(pairs, task.label_files, num_threads, lambda _: bar.update())


def class_lines(pixels: np.ndarray, table: LabelTable) -> list[str]:
    """One line per class with its fraction of all pixels.

    Args:
        pixels: (K + 1,) number of pixels of each class, ignored ones last.
    """
    names = [*table.names, "(ignored)"]
    width, total = max(map(len, names)), max(1, int(pixels.sum()))
    fractions = [f"{count / total:.2%}" if count else "-" for count in pixels]
    return [f"  {name:<{width}}  {fraction:>7}" for name, fraction in zip(names, fractions, strict=True)]
