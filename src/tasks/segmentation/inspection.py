"""`train.py --check_dataset 1` for segmentation: every pair of files is decoded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tqdm import tqdm

from src.config import UserError
from src.datasets.sources.cityscapes import ScenePair, check_pairs, scan_pairs
from src.runtime.device import clamp_workers
from src.runtime.terminal import progress_shown

if TYPE_CHECKING:
    from src.tasks.segmentation.task import SegmentationTask


def check_scenes(task: SegmentationTask) -> list[str]:
    """Report on the training and the validation images; returns all for which a training could not run."""
    problems = _report(task, "training")
    if task.config.eval.eval_interval:
        problems += _report(task, "validation")
    return list(dict.fromkeys(problems))  # one list file may serve for both


def _report(task: SegmentationTask, what: str) -> list[str]:
    """Look at every pair; returns all that is wrong."""
    try:
        pairs, problems = scan_pairs(*(task.training_place if what == "training" else task.evaluation_place))
    except UserError as error:
        return [str(error)]
    broken = _problems_of(pairs, what, clamp_workers(task.config.data.train_num_workers))
    print(f"{what} images: {len(pairs) + len(problems)}, of which {len(problems) + len(broken)} cannot be used")
    problems += broken
    if what == "training" and not problems:
        try:
            task.steps_per_epoch(num_ranks=1)
        except UserError as error:
            problems.append(str(error))
    return problems


def _problems_of(pairs: Sequence[ScenePair], what: str, num_threads: int) -> list[str]:
    with tqdm(total=len(pairs), desc=f"checking {what} images", unit="image", disable=not progress_shown()) as bar:
        return check_pairs(pairs, num_threads, lambda _: bar.update())
