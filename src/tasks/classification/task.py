"""Image classification."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import asdict
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import mindspore as ms
import mindspore.dataset as ds
import numpy as np
from mindspore import nn
from tqdm import tqdm

from src.config import Config, UserError
from src.config.aliases import dialect_of
from src.config.errors import counted
from src.datasets.epochs import EpochDataset, training_epochs
from src.datasets.pipeline import image_batches, read_batches, read_images
from src.datasets.sampling import evaluation_positions, training_positions
from src.datasets.sources.find import find_list, find_split, find_validation, open_images
from src.datasets.sources.imagenet import NUM_CLASSES, imagenet_classes
from src.datasets.sources.labelled import LabelledImages, LabelledSet
from src.datasets.sources.list_file import read_list
from src.datasets.sources.mindrecord import RecordedImages, open_mindrecord, write_mindrecord
from src.datasets.transforms.image import Preprocessing, evaluation_transforms
from src.inference.evaluator import Evaluation, EvaluationSet
from src.metrics import ClassificationMetric
from src.runtime.files import final_path
from src.runtime.logs import get_logger
from src.runtime.session import Session
from src.runtime.terminal import progress_shown, say
from src.tasks.classification.augmentation import (
    augmented_transforms,
    check_augmentation,
    check_loss,
    create_batch_step,
    create_training_loss,
    silent_loss_settings,
)
from src.tasks.classification.classes import check_classes, names_for_unnamed
from src.tasks.classification.evaluation import task_result
from src.tasks.classification.examples import Examples
from src.tasks.classification.graph_view import GraphViewer
from src.tasks.classification.inspection import caption, check_images
from src.tasks.classification.prediction import (
    TrainedModel,
    check_readable,
    spread_out,
    table_lines,
    write_predictions,
)
from src.tasks.task import Task, TaskResult, chosen_preprocessing, full_steps


class ClassificationTask(Task):
    """Reads image folders, trains with cross entropy, counts top-1 and top-5."""

    name = "classification"
    datasets = ("image_folder", "mindrecord")
    score_name = "top1"
    curves = {"top1": "top-1 accuracy", "top5": "top-5 accuracy"}

    # -- what belongs to the weights

    @classmethod
    def converted_meta(cls, config: Config) -> dict[str, Any]:
        """Meta data for converted weights; 1000 classes are ImageNet's, as public weights have them."""
        names = list(imagenet_classes().values()) if config.model.class_num == NUM_CLASSES else []
        return super().converted_meta(config) | {"class_names": names}

    def checkpoint_meta(self) -> dict[str, Any]:
        """Meta data of the weights, with the number of images that they were trained on."""
        return super().checkpoint_meta() | {"training_images": len(self.training_folder)}

    @cached_property
    def class_names(self) -> tuple[str, ...]:
        """Class names in label order: the checkpoint's, else the training folder's (or the validation folder's).

        A converted checkpoint has none unless its classes are ImageNet's; where no folder is given either, classes are
        numbers.
        """
        names = self._meta.get("class_names")
        if names:
            return tuple(names)
        if self._meta and not (self.config.data.dataset_path or self.config.eval.eval_path):
            return tuple(f"class {number}" for number in range(self.config.model.class_num))
        folder = self._class_folder()
        return names_for_unnamed(folder, self.config.model.class_num) if self._meta else folder.class_names

    @cached_property
    def preprocessing(self) -> Preprocessing:
        """How evaluation, export and prediction see an image."""
        own = self.configured_preprocessing(self.config)
        keys = {"image_size": {"eval_image_size", "train_image_size"}}
        stored = self._meta.get("preprocessing", {})
        if stored:  # an older checkpoint names no antialias: it was scored without
            stored = {"antialias": False, **stored}
        return Preprocessing(**chosen_preprocessing(own, stored, keys, self._given))

    # -- training

    @cached_property
    def training_folder(self) -> LabelledSet:
        """The training images, found and checked against the network's classes."""
        if self.config.data.dataset == "mindrecord":
            images = self._recorded("train", self.config.data.dataset_path, "dataset_path")
        elif self.config.data.data_list:
            images = self._listed("train")
        else:
            place = find_split(self.config.data.dataset_path, "train", "dataset_path")
            images = open_images(place, self.config.model.class_num)
        check_classes(images, self.config.model.class_num)
        return images

    @property
    def notes(self) -> list[str]:
        """What the user should know about the data."""
        found, wanted = len(self.training_folder.class_names), self.config.model.class_num
        text = f"training images: {len(self.training_folder)} in {found} classes at {self.training_folder.root}"
        if found < wanted:
            text += f" (class_num is {wanted}: {wanted - found} outputs have no images)"
        return [text, *self.training_folder.left_out, *silent_loss_settings(self.config)]

    def steps_per_epoch(self, num_ranks: int) -> int:
        """Training steps that one pass over the images gives; UserError when they do not fill a batch."""
        return full_steps(self.config.data, len(self.training_folder), num_ranks)

    def training_dataset(
        self, session: Session, first_epoch: int, first_batch: int, *, sink: bool = False
    ) -> EpochDataset | ds.Dataset:
        """Batches of images (B, 3, S, S) and labels (B,), or targets (B, class_num) where images are mixed."""
        data, seed = self.config.data, self.config.run.seed
        source = self.training_folder.training_source(seed=seed, max_bad_images=data.max_bad_images)
        settings = asdict(self.preprocessing) | {"image_size": data.train_image_size}
        transforms = augmented_transforms(self.config, Preprocessing(**settings))

        def positions(epoch: int) -> np.ndarray:
            return training_positions(
                len(source),
                seed=seed,
                epoch=epoch,
                rank=session.rank,
                num_ranks=session.num_ranks,
                batch_size=data.images_per_step,
                num_repeats=self.config.augment.repeated_augment,
            )

        def build(order: Collection[int], epoch: int) -> ds.Dataset:
            batch_step = create_batch_step(self.config, session.rank, epoch)
            return image_batches(source, order, transforms, data.images_per_step, data.train_num_workers, batch_step)

        steps = self.steps_per_epoch(session.num_ranks)
        start = (seed, session.rank), first_epoch, first_batch
        return training_epochs(build, positions, source, steps, *start, sink=sink, timeout=data.data_timeout)

    def loss(self) -> nn.Cell:
        """The training loss."""
        return create_training_loss(self.config)

    def check_settings(self) -> None:
        """UserError for another task's loss, an unknown policy, or mixing that these batches cannot have."""
        check_loss(self.config)
        check_augmentation(self.config, self.preprocessing)

    # -- evaluation

    @cached_property
    def validation_folder(self) -> LabelledSet:
        """The validation images, in the training classes' order."""
        evaluation, data = self.config.eval, self.config.data
        if data.dataset == "mindrecord":
            return self._recorded("val", evaluation.eval_path or data.dataset_path, "eval_path", self.class_names)
        if data.data_list and not evaluation.eval_path:
            return self._listed("val", self.class_names)
        place = find_validation(evaluation.eval_path, data.dataset_path)
        return open_images(place, self.config.model.class_num, self.class_names)

    def check_validation(self) -> None:
        """Look for the validation images."""
        _ = self.validation_folder

    @property
    def evaluation_note(self) -> str:
        """Number and place of the images."""
        return f"{counted(len(self.validation_folder), 'image')} at {self.validation_folder.root}"

    def evaluation_set(self, session: Session) -> EvaluationSet:
        """This rank's share of the validation images."""
        folder, evaluation = self.validation_folder, self.config.eval
        batch_size = evaluation.eval_batch_size or self.config.data.batch_size
        order = evaluation_positions(len(folder), rank=session.rank, num_ranks=session.num_ranks, batch_size=batch_size)
        source, positions = folder.evaluation_source(order.positions)
        transforms = evaluation_transforms(self.preprocessing)
        workers = evaluation.eval_num_workers

        def start() -> Iterator:
            pipeline = image_batches(source, positions, transforms, batch_size, workers)
            return pipeline.create_tuple_iterator(num_epochs=1, do_copy=False)

        weights = np.split(order.weights, max(1, len(order.weights) // batch_size))
        files = folder.names(order.positions)
        batches = partial(read_batches, start, source, timeout=self.config.data.data_timeout)
        return EvaluationSet(batches, weights, len(folder), files)

    def examples(self, data: EvaluationSet) -> Examples:
        """An observer of an evaluation that keeps its best and worst images."""
        return Examples(data.files, self.output_names)

    @property
    def output_names(self) -> list[str]:
        """A name for each output: an output that had no images in training gets its number."""
        names = list(self.class_names)
        return names + [f"class {number}" for number in range(len(names), self.config.model.class_num)]

    def metric(self) -> ClassificationMetric:
        """An empty count of top-1, top-5 and confusions."""
        return ClassificationMetric(self.config.model.class_num)

    def outputs(self, forward: Callable, image: ms.Tensor) -> np.ndarray:
        """The logits (B, K) of a batch."""
        return forward(image).astype(ms.float32).asnumpy()

    def summarise(self, evaluation: Evaluation, examples: Examples) -> TaskResult:
        """Top-1, top-5, loss and confusions."""
        local = self.metric()
        local.merge([evaluation.local_state])
        dialect = dialect_of(self.config.model.backbone)
        return task_result(evaluation, local.counts, examples, self.class_names, dialect)

    # -- prediction

    def predictor(self, network: nn.Cell) -> TrainedModel:
        """A trained network for use from Python."""
        return TrainedModel(network, self.preprocessing, self.output_names)

    def predict(self, network: nn.Cell, files: Sequence[Path], make_folder: Callable[[], Path]) -> None:
        """A table in the log, predictions.png, .csv and .json, and with show_graph the graphs."""
        output, logger, model = self.config.output, get_logger(), self.predictor(network)
        viewer = GraphViewer(model, self.info.name, output.nodes) if output.show_graph else None
        if output.nodes and viewer is None:
            logger.warning("nodes has no effect without --show_graph 1")
        bar = partial(tqdm, leave=False, disable=not progress_shown())
        predictions = model.predict(files, output.top_k, partial(bar, desc="predicting", unit="batch"))
        check_readable(predictions)
        for line in table_lines(predictions):
            logger.info(line)
        folder = make_folder()
        write_predictions(predictions, folder)
        logger.info("see %s, predictions.csv and predictions.json beside it", final_path(folder / "predictions.png"))
        if viewer:
            shown = spread_out(predictions)
            viewer.draw_all(shown, folder / "graphs", partial(bar, desc="drawing", unit="picture"))
            logger.info("see the graphs of %s in %s", counted(len(shown), "image"), final_path(folder / "graphs"))

    # -- looks at the data

    def inspect(self) -> list[str]:
        """Decode every file."""
        return check_images(self)

    def show(self, image: np.ndarray, label: np.ndarray) -> tuple[np.ndarray, str]:
        """What the network sees, and the name of its class or of its two largest shares."""
        return self.preprocessing.pixels(image), caption(label, self.class_names)

    def write_records(self, folder: Path) -> None:
        """Write both splits as MindRecord files and print what cannot be read."""
        for split, images in (("train", self.training_folder), ("val", self.validation_folder)):
            bar = partial(tqdm, total=len(images), desc=f"writing {split}", unit="image", disable=not progress_shown())
            faults = write_mindrecord(images, folder, split, self.config.data.train_num_workers, bar)
            what = "left out" if split == "train" else "counted as wrong"
            say(f"{final_path(folder / split)}: {len(images)} images, {len(faults)} cannot be read and are {what}")
            for path, fault in faults.items():
                say(f"  {path}: {fault}")

    # -- export

    def inputs(self, files: Sequence[Path]) -> np.ndarray:
        """Pictures as the network's input, (N, 3, S, S)."""
        return read_images(files, evaluation_transforms(self.preprocessing))

    def sample_files(self, number: int, *, training: bool = False) -> list[Path]:
        """Some pictures, evenly chosen over the classes."""
        files = (self.training_folder if training else self.validation_folder).files
        return list(files[:: max(1, len(files) // number)])

    def export_card(self) -> dict[str, Any]:
        """What a program must know of input and output to use an exported file."""
        return {
            "preprocessing": self.preprocessing.card(),
            "output": "logits, one for each of class_names",
            "class_names": self.output_names,
        }

    # -- helpers

    def _recorded(self, split: str, path: str, key: str, class_names: tuple[str, ...] | None = None) -> RecordedImages:
        if not path:
            raise UserError(f"{key} is empty: give --{key} FOLDER with the MindRecord files")
        return open_mindrecord(Path(path), split, key, class_names)

    def _listed(self, split: str, class_names: tuple[str, ...] | None = None) -> LabelledImages:
        data = self.config.data
        path = find_list(data.data_list, split)
        return read_list(path, Path(data.dataset_path), self.config.model.class_num, class_names)

    def _class_folder(self) -> LabelledSet:
        if self.config.data.dataset_path or self.config.data.data_list:
            return self.training_folder
        if self.config.data.dataset == "mindrecord":
            folder = self._recorded("val", self.config.eval.eval_path, "eval_path")
        else:
            folder = open_images(find_validation(self.config.eval.eval_path, ""), self.config.model.class_num)
        check_classes(folder, self.config.model.class_num)
        return folder
