"""Task: what commands and training ask of one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from mindspore import nn
from mindspore.train import Callback

from src.callbacks.progress import Progress
from src.config import UserError
from src.config.schema import DataConfig
from src.datasets.sampling import steps_per_epoch
from src.inference.evaluator import EvaluationSet
from src.runtime.session import Session


class Task(Protocol):
    """The data, the loss, the score and the pictures of one kind of network.

    Attributes:
        name: classification or segmentation.
        accuracy_name: what the score is called in curves; the best checkpoint has the highest.
        class_names: in label order.
        preprocessing: how the weights want an image; has `image_size`, the side of the network's input in pixels.
        notes: what the user should know about the training data.
    """

    name: str
    accuracy_name: str
    class_names: tuple[str, ...]
    preprocessing: Any
    notes: list[str]

    def check_validation(self) -> None:
        """Look for the validation data; UserError when they are not there."""

    def steps_per_epoch(self, num_ranks: int) -> int:
        """Training steps that one pass over the data gives; UserError when they do not fill a batch."""

    def training_dataset(self, session: Session, first_epoch: int, first_batch: int, *, sink: bool = False) -> Any:
        """(image, label) batches of this rank from (first_epoch, first_batch) on."""

    def loss(self) -> nn.Cell:
        """(the network's output, label) -> scalar"""

    def check_settings(self) -> None:
        """UserError for a loss or an augmentation that this task cannot have."""

    def step_log(self, progress: Progress, logger: Any, learning_rate: Callable[[], float]) -> list[Callback]:
        """What writes log lines that only this task's seed has."""

    def evaluation_set(self, session: Session) -> EvaluationSet:
        """This rank's share of the validation data."""

    def examples(self, data: EvaluationSet) -> Any:
        """An observer of an evaluation that keeps its best and worst images."""

    def outputs(self, forward: Callable, image: Any) -> np.ndarray:
        """What the metric counts, from a batch of images by `forward`, the network in inference mode."""

    def metric(self) -> Any:
        """An empty count with `update`, `state`, `load_state` and `compute`."""

    def record(self, result: Any) -> dict[str, float]:
        """A result for metrics.jsonl: `accuracy` and what else there is."""

    def inputs(self, files: Sequence[Path]) -> np.ndarray:
        """Picture files as the network's input, (N, 3, S, S)."""

    def sample_files(self, number: int) -> list[Path]:
        """Some validation pictures, evenly chosen."""

    def export_card(self) -> dict[str, Any]:
        """What a program must know of input and output to use an exported file."""


def task_meta(task: Task) -> dict[str, Any]:
    """What a checkpoint must carry so that others can use the weights."""
    return {
        "task": task.name,
        "class_names": list(task.class_names),
        "preprocessing": asdict(task.preprocessing),
    }


def chosen_preprocessing(
    own: Mapping[str, Any], stored: Mapping[str, Any], keys: Mapping[str, set[str]], given: frozenset[str]
) -> dict[str, Any]:
    """`own` (from the configuration), but the checkpoint's `stored` values where the user set none of their keys.

    Args:
        keys: configuration keys of a value, where they are not its name.
    """
    kept = {name: value for name, value in stored.items() if not keys.get(name, {name}) & given}
    values = {**own, **kept}
    return values | {"mean": tuple(values["mean"]), "std": tuple(values["std"])}


def full_steps(data: DataConfig, num_images: int, num_ranks: int) -> int:
    """Optimizer steps that one pass over the images gives; UserError when they do not fill one."""
    steps = steps_per_epoch(num_images, num_ranks, data.images_per_step)
    if steps == 0:
        accumulated = f"accumulate_steps {data.accumulate_steps} x " if data.accumulate_steps > 1 else ""
        fitting = max(1, num_images // (num_ranks * data.accumulate_steps))
        raise UserError(
            f"{accumulated}batch_size {data.batch_size} x {num_ranks} devices is larger than the {num_images} "
            f"training images: give --batch_size {fitting} or less"
        )
    return steps
