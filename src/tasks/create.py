"""Which task a configuration means."""

from __future__ import annotations

from typing import Any

from src.config import Config, UserError
from src.inference.networks import network_info
from src.tasks.classification.task import ClassificationTask
from src.tasks.segmentation.task import SegmentationTask
from src.tasks.task import Task


def create_task(config: Config, meta: dict[str, Any] | None = None, given: frozenset[str] = frozenset()) -> Task:
    """The task of the configured network.

    Args:
        meta: the meta data of the checkpoint that is evaluated or exported: its class names and preprocessing hold.
        given: keys that the user set; they win over the checkpoint's preprocessing.

    Raises:
        UserError: the data are of the other task.
    """
    backbone, dataset = config.model.backbone, config.data.dataset
    if network_info(backbone).task == SegmentationTask.name:
        return SegmentationTask(config, meta, given)
    if dataset == SegmentationTask.dataset:
        raise UserError(
            f"dataset {dataset} is for segmentation, backbone {backbone} classifies: give --backbone dgcnet_res101"
        )
    return ClassificationTask(config, meta, given)
