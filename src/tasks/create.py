"""Table of all tasks, and the factory of the task for a configuration."""

from __future__ import annotations

from typing import Any

from src.config import Config, UserError
from src.datasets.decoding import limit_pixels
from src.inference.networks import network_info
from src.tasks.classification.task import ClassificationTask
from src.tasks.segmentation.task import SegmentationTask
from src.tasks.task import Task

# A further task is its folder and a line here.
TASKS: dict[str, type[Task]] = {
    "classification": ClassificationTask,
    "segmentation": SegmentationTask,
}


def task_type(backbone: str) -> type[Task]:
    """The task that a network is built for; UserError for an unknown network."""
    return TASKS[network_info(backbone).task]


def create_task(config: Config, meta: dict[str, Any] | None = None, given: frozenset[str] = frozenset()) -> Task:
    """The task of the configured network, whose images may have `max_image_pixels`.

    Args:
        meta, given: see `Task`.

    Raises:
        UserError: the network is unknown, or the data set belongs to another task.
    """
    backbone, dataset = config.model.backbone, config.data.dataset
    task = task_type(backbone)
    if "dataset" in given and dataset not in task.datasets:
        raise UserError(
            f"dataset {dataset} is not for {task.name}, which is what backbone {backbone} does: give --dataset "
            f"{' or '.join(task.datasets)}, or another --backbone"
        )
    limit_pixels(config.data.max_image_pixels)
    return task(config, meta, given)
