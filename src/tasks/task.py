"""Task: what commands and training ask of one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from mindspore import nn
from mindspore.train import Callback

from src.callbacks.progress import Progress
from src.config import Config, UserError
from src.config.schema import DataConfig
from src.datasets.sampling import steps_per_epoch
from src.inference.evaluator import Evaluation, EvaluationSet
from src.inference.networks import network_info
from src.runtime.session import Session
from src.visualization.page import Section


@dataclass(frozen=True)
class TaskResult:
    """Result of an evaluation: all that a log, a record, a report and the choice of the best weights need.

    Attributes:
        score: higher is better; None where there is no truth.
        numbers: further ones by name, for metrics.jsonl, TensorBoard and the report.
        summary: what result.json says, besides the checkpoint.
        lines: of the log.
        write: writes the result's files into a folder and returns their names.
        sections: makes the result's sections of a report.
    """

    score: float | None = None
    numbers: Mapping[str, float] = field(default_factory=dict)
    summary: Mapping[str, Any] = field(default_factory=dict)
    lines: Sequence[str] = ()
    write: Callable[[Path], list[str]] = lambda folder: []
    sections: Callable[[], list[Section]] = list


class Task(ABC):
    """The data, the loss, the score and the pictures of one kind of network: all that commands and training see of it.

    Args:
        config: the run's configuration.
        meta: the meta data of the checkpoint that is evaluated or exported: its class names and preprocessing hold.
        given: keys that the user set; they win over the checkpoint's preprocessing.

    Attributes:
        name: of the task.
        datasets: what the key `dataset` may be.
        score_name: key of the score in metrics.jsonl; the best checkpoint has the highest.
        curves: {key of metrics.jsonl: its name in a legend} of the fractions that are drawn, the score's included.
        class_names: in label order.
        preprocessing: how the weights want an image; has `image_size`, the side of the network's input in pixels.
    """

    name: str
    datasets: tuple[str, ...]
    score_name: str
    curves: Mapping[str, str]
    class_names: tuple[str, ...]
    preprocessing: Any

    def __init__(self, config: Config, meta: dict[str, Any] | None = None, given: frozenset[str] = frozenset()):
        self.config = config
        self.info = network_info(config.model.backbone)
        self._meta, self._given = meta or {}, given

    def checkpoint_meta(self) -> dict[str, Any]:
        """Meta data that a checkpoint carries so that other commands can use its weights without the data."""
        return {
            "task": self.name,
            "class_names": list(self.class_names),
            "preprocessing": asdict(self.preprocessing),
        }

    @classmethod
    def converted_meta(cls, config: Config) -> dict[str, Any]:
        """Meta data for converted weights.

        Public weights files hold no class names: evaluation takes those of the data, prediction shows numbers.
        """
        return {"task": cls.name, "class_names": [], "preprocessing": cls.configured_preprocessing(config)}

    @classmethod
    def configured_preprocessing(cls, config: Config) -> dict[str, Any]:
        """Preprocessing as the configuration gives it, with the network's published values for empty keys."""
        data, evaluation, info = config.data, config.eval, network_info(config.model.backbone)
        return {
            "image_size": evaluation.eval_image_size or data.train_image_size,
            "crop_pct": evaluation.crop_pct or info.crop_pct,
            "interpolation": data.interpolation or info.interpolation,
            "mean": data.mean or info.mean,
            "std": data.std or info.std,
        }

    # -- training

    @property
    @abstractmethod
    def notes(self) -> list[str]:
        """What the user should know about the training data."""

    @abstractmethod
    def check_settings(self) -> None:
        """UserError for a loss or an augmentation that this task cannot have."""

    @abstractmethod
    def steps_per_epoch(self, num_ranks: int) -> int:
        """Training steps that one pass over the data gives; UserError when they do not fill a batch."""

    @abstractmethod
    def training_dataset(self, session: Session, first_epoch: int, first_batch: int, *, sink: bool = False) -> Any:
        """Batches of this rank from (first_epoch, first_batch) on: the network's input, then the loss's targets.

        Args:
            sink: one framework pipeline over all epochs, which a device can be fed from; it begins at an epoch's start.
        """

    @abstractmethod
    def loss(self) -> nn.Cell:
        """(the network's output, *targets) -> scalar"""

    def step_log(self, progress: Progress, logger: Any, learning_rate: Callable[[], float]) -> list[Callback]:
        """Callbacks that write log lines which only this task's seed has."""
        return []

    # -- evaluation

    @abstractmethod
    def check_validation(self) -> None:
        """Look for the validation data; UserError when they are missing."""

    @property
    @abstractmethod
    def evaluation_note(self) -> str:
        """What is evaluated, and how, for the log."""

    @abstractmethod
    def evaluation_set(self, session: Session) -> EvaluationSet:
        """This rank's share of the validation data."""

    @abstractmethod
    def outputs(self, forward: Callable, image: Any) -> np.ndarray:
        """What the metric counts, from a batch of images by `forward`, the network in inference mode."""

    @abstractmethod
    def metric(self) -> Any:
        """An empty count.

        It has `update(outputs, labels, weights)`, `state()` (a float64 array of fixed shape), `merge(states)` of all
        ranks, and `compute()`, which raises ValueError where nothing was counted.
        """

    @abstractmethod
    def examples(self, data: EvaluationSet) -> Any:
        """An observer of an evaluation: called with each batch's outputs, labels and weights."""

    @abstractmethod
    def summarise(self, evaluation: Evaluation, examples: Any) -> TaskResult:
        """The result of an evaluation that `examples` has watched."""

    # -- prediction

    @abstractmethod
    def predictor(self, network: nn.Cell) -> Any:
        """A trained network for use from Python: its `predict` takes picture files."""

    @abstractmethod
    def predict(self, network: nn.Cell, files: Sequence[Path], make_folder: Callable[[], Path]) -> None:
        """Predict picture files, log what was found and write it into a folder, which is made when all is well."""

    # -- looks at the data

    @abstractmethod
    def inspect(self) -> list[str]:
        """Print a report on the training and the validation data; returns all for which a training could not run."""

    @abstractmethod
    def show(self, *sample: np.ndarray) -> tuple[np.ndarray, str]:
        """A sample of a training batch as a picture (H, W, 3) uint8 and its caption."""

    def write_records(self, folder: Path) -> None:
        """Write the data as MindRecord files."""
        raise UserError(f"{self.name} reads no MindRecord files: give a classification network")

    # -- export

    @abstractmethod
    def inputs(self, files: Sequence[Path]) -> np.ndarray:
        """Picture files as the network's input, (N, 3, S, S)."""

    @abstractmethod
    def sample_files(self, number: int) -> list[Path]:
        """Some validation pictures, evenly chosen."""

    @abstractmethod
    def export_card(self) -> dict[str, Any]:
        """What a program must know of input and output to use an exported file."""


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
