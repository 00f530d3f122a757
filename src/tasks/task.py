"""Task: the interface through which commands and training see data, loss, score and pictures."""

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
from src.visualization.canvas import NamedColor
from src.visualization.page import Section


@dataclass(frozen=True)
class TaskResult:
    """Result of an evaluation, for the log, metrics.jsonl, the report and the choice of the best checkpoint.

    Attributes:
        score: higher is better; None without ground truth.
        numbers: {name: value} of further results, for metrics.jsonl, TensorBoard and the report.
        summary: content of result.json besides the checkpoint's path.
        headline: the score in words, for the report.
        facts: further results with their names and units, for the report.
        lines: lines for the log.
        write: writes the result files into a folder and returns their names.
        sections: creates the report sections of the result.
    """

    score: float | None = None
    numbers: Mapping[str, float] = field(default_factory=dict)
    summary: Mapping[str, Any] = field(default_factory=dict)
    headline: str = ""
    facts: Sequence[tuple[str, str]] = ()
    lines: Sequence[str] = ()
    write: Callable[[Path], list[str]] = lambda folder: []
    sections: Callable[[], list[Section]] = list


class Task(ABC):
    """Data, loss, score and pictures of one kind of network.

    In shapes, B is the batch size, S the side of the network's input in pixels, K the number of classes.

    Args:
        config: configuration of the run.
        meta: meta data of the checkpoint to evaluate or export; its class names and preprocessing take precedence over
            those of the data and the configuration.
        given: keys set by the user, which take precedence over the checkpoint's preprocessing.

    Attributes:
        name: name of the task.
        datasets: allowed values of the key `dataset`.
        score_name: key of the score in metrics.jsonl; the best checkpoint has the highest score.
        curves: {key of metrics.jsonl: name in the legend} of the fractions to draw, the score included.
        class_names: in label order.
        preprocessing: preprocessing of an image; has `image_size`, the side of the network's input in pixels.
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
            "antialias": info.antialias if data.antialias is None else data.antialias,
            "mean": data.mean or info.mean,
            "std": data.std or info.std,
        }

    # -- training

    @property
    @abstractmethod
    def notes(self) -> list[str]:
        """Lines for the log about the training data."""

    @abstractmethod
    def check_settings(self) -> None:
        """Raise UserError for a loss or an augmentation that this task does not support."""

    @abstractmethod
    def steps_per_epoch(self, num_ranks: int) -> int:
        """Training steps per epoch; UserError if the data do not fill one batch."""

    @abstractmethod
    def training_dataset(self, session: Session, first_epoch: int, first_batch: int, *, sink: bool = False) -> Any:
        """Batches of this rank from (first_epoch, first_batch) on.

        A batch is a tuple: the network's input (B, 3, S, S) float32, then the targets of the loss, each (B, ...). With
        gradient accumulation B covers all batches of a step.

        Args:
            sink: return one framework pipeline over all epochs, for data sinking; it starts with an epoch.
        """

    @abstractmethod
    def loss(self) -> nn.Cell:
        """The training loss: (network output, *targets, each (B, ...)) -> scalar."""

    def step_log(self, progress: Progress, logger: Any, learning_rate: Callable[[], float]) -> list[Callback]:
        """Callbacks for log lines that only this task writes."""
        return []

    # -- evaluation

    @abstractmethod
    def check_validation(self) -> None:
        """Raise UserError if the validation data are missing or unusable."""

    @property
    @abstractmethod
    def evaluation_note(self) -> str:
        """Description of the validation data and the evaluation, for the log."""

    @abstractmethod
    def evaluation_set(self, session: Session) -> EvaluationSet:
        """This rank's share of the validation data: images (B, 3, H, W) float32 with labels (B, ...)."""

    @abstractmethod
    def outputs(self, forward: Callable, image: Any) -> np.ndarray:
        """The array (B, ...) that the metric counts.

        Args:
            forward: the network in inference mode, (B, 3, S, S) float32 -> its outputs.
            image: a batch of images, (B, 3, H, W) float32.
        """

    @abstractmethod
    def metric(self) -> Any:
        """An empty metric.

        It has `update(outputs (B, ...), labels (B, ...), weights (B,))`, `state()` (a float64 array of fixed shape),
        `merge(states)` over all ranks, and `compute()`, which raises ValueError if no sample was counted.
        """

    @abstractmethod
    def examples(self, data: EvaluationSet) -> Any:
        """Observer of an evaluation, called with outputs (B, ...), labels (B, ...) and weights (B,) of each batch."""

    @abstractmethod
    def summarise(self, evaluation: Evaluation, examples: Any) -> TaskResult:
        """The result of an evaluation that `examples` has observed; called on every rank, after the last batch."""

    def of_fixed_size(self) -> Task:
        """This task, evaluated by a program that takes images of one size only, as an exported file does."""
        return self

    # -- prediction

    @abstractmethod
    def predictor(self, network: nn.Cell) -> Any:
        """A trained network for use from Python; its `predict` takes image files.

        Args:
            network: in inference mode, (B, 3, S, S) float32 -> its outputs.
        """

    @abstractmethod
    def predict(self, network: nn.Cell, files: Sequence[Path], make_folder: Callable[[], Path]) -> None:
        """Predict image files, log the results and write them into the folder that `make_folder` creates.

        It is a hidden one, which gets its name (see `final_path`) when this returns.

        Raises:
            UserError: a file is missing or cannot be decoded; no folder is created.
        """

    # -- inspection of the data

    @abstractmethod
    def inspect(self) -> list[str]:
        """Print a report on the training and validation data; returns the problems that prevent a training."""

    @abstractmethod
    def show(self, *sample: np.ndarray) -> tuple[np.ndarray, str]:
        """Picture (H, W, 3) uint8 and caption of one training sample: image (3, S, S) float32 and its targets."""

    def shown_colors(self, samples: Sequence[tuple[np.ndarray, ...]]) -> Sequence[NamedColor]:
        """The meaning of the colours that `show` adds to these samples; none by default."""
        return ()

    def write_records(self, folder: Path) -> None:
        """Write the data as MindRecord files; UserError if the task does not read them."""
        raise UserError(f"{self.name} does not read MindRecord files: give a classification network")

    # -- export

    @abstractmethod
    def inputs(self, files: Sequence[Path]) -> np.ndarray:
        """Image files as network input, (N, 3, S, S) float32; UserError for a missing or unreadable file."""

    @abstractmethod
    def sample_files(self, number: int, *, training: bool = False) -> list[Path]:
        """About `number` validation or training images, evenly spaced; UserError without such data."""

    @abstractmethod
    def export_card(self) -> dict[str, Any]:
        """Facts about input and output that a program needs to use an exported file."""


def chosen_preprocessing(
    own: Mapping[str, Any], stored: Mapping[str, Any], keys: Mapping[str, set[str]], given: frozenset[str]
) -> dict[str, Any]:
    """Preprocessing values: those of the checkpoint unless the user has set one of their keys.

    Args:
        own: {name: value} from the configuration.
        stored: {name: value} from the checkpoint.
        keys: configuration keys of a value, if they differ from its name.
        given: keys set by the user.
    """
    kept = {name: value for name, value in stored.items() if not keys.get(name, {name}) & given}
    values = {**own, **kept}
    return values | {"mean": tuple(values["mean"]), "std": tuple(values["std"])}


def full_steps(data: DataConfig, num_images: int, num_ranks: int) -> int:
    """Optimizer steps per epoch over all ranks; UserError if the images do not fill one step."""
    steps = steps_per_epoch(num_images, num_ranks, data.images_per_step)
    if steps == 0:
        accumulated = f"accumulate_steps {data.accumulate_steps} x " if data.accumulate_steps > 1 else ""
        fitting = max(1, num_images // (num_ranks * data.accumulate_steps))
        raise UserError(
            f"{accumulated}batch_size {data.batch_size} x {num_ranks} devices is larger than the {num_images} "
            f"training images: give --batch_size {fitting} or less"
        )
    return steps
