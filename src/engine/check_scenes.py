"""`train.py --check_dataset 1` for segmentation: every pair of files is decoded."""

from __future__ import annotations

from collections.abc import Sequence

from tqdm import tqdm

from src.config import UserError
from src.datasets.sources.cityscapes import ScenePair, check_pairs, listed_problems
from src.engine.tasks.segmentation import SegmentationTask
from src.runtime.device import clamp_workers
from src.runtime.terminal import progress_shown


def check_scenes(task: SegmentationTask) -> list[str]:
    """Report on the training and the validation images; returns all for which a training could not run."""
    problems = _report(task, "training")
    if task.config.eval.eval_interval:
        problems += _report(task, "validation")
    return problems


def _report(task: SegmentationTask, what: str) -> list[str]:
    """Look at every pair; returns all that is wrong."""
    data, evaluation = task.config.data, task.config.eval
    try:
        pairs = task.training_pairs if what == "training" else task.evaluation_pairs
        if what == "training":
            task.steps_per_epoch(num_ranks=1)
    except UserError as error:
        where = (data.dataset_path, "train") if what == "training" else (evaluation.eval_path, evaluation.eval_split)
        root, split = where[0] or data.dataset_path, where[1]
        return _all_of_list(root, data.data_list, split) or [str(error)]
    problems = _problems_of(pairs, what, clamp_workers(data.train_num_workers))
    print(f"{what} images: {len(pairs)}, of which {len(problems)} cannot be used")
    return problems


def _all_of_list(root: str, data_list: str, split: str) -> list[str]:
    try:
        return listed_problems(root, data_list, split)
    except UserError:
        return []


def _problems_of(pairs: Sequence[ScenePair], what: str, num_threads: int) -> list[str]:
    with tqdm(total=len(pairs), desc=f"checking {what} images", unit="image", disable=not progress_shown()) as bar:
        return check_pairs(pairs, num_threads, lambda _: bar.update())
