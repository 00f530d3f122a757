"""Semantic segmentation: Cityscapes, or images with masks."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import mindspore.dataset as ds
import numpy as np
from mindspore import nn

from src.callbacks.segmentation_log import LogSegmentation
from src.config import Config, UserError
from src.datasets.epochs import EpochDataset, training_epochs
from src.datasets.sampling import evaluation_positions, training_positions
from src.datasets.segmentation import TrainingScenes, WholeScenes, scene_batches, scene_by_scene
from src.datasets.sources.label_table import IGNORED, LabelTable
from src.datasets.sources.scene_pairs import LabelFiles, ScenePair
from src.datasets.transforms.joint import JointAugmentation
from src.datasets.transforms.scene_preprocessing import ScenePreprocessing, read_corners
from src.inference.evaluator import Evaluation, EvaluationSet
from src.inference.networks import with_mixed_precision
from src.loss import SEGMENTATION_LOSSES, create_loss
from src.metrics import SegmentationMetric
from src.runtime.session import Session
from src.tasks.segmentation.evaluation import SceneObserver, Submission, task_result
from src.tasks.segmentation.examples import SceneExamples
from src.tasks.segmentation.inspection import check_scenes
from src.tasks.segmentation.prediction import ScenePredictor, TrainedSegmentation, shares, write_maps
from src.tasks.segmentation.sources import SOURCES, chosen_table, source_name
from src.tasks.task import Task, TaskResult, chosen_preprocessing, full_steps
from src.visualization import overlay


class SegmentationTask(Task):
    """Reads pairs of image and label, trains on crops, looks at whole images by windows, counts confused pixels."""

    name = "segmentation"
    datasets = tuple(SOURCES)
    score_name = "miou"
    curves = {"miou": "mIoU", "pixel_accuracy": "pixel accuracy"}

    def __init__(self, config: Config, meta: dict[str, Any] | None = None, given: frozenset[str] = frozenset()):
        super().__init__(config, meta, given)
        self._data_name = source_name(config)
        self.source = SOURCES[self._data_name]
        if self.source.sizes_network and not self._meta and "class_num" not in given:
            self.config = config.with_values(class_num=self.table.num_classes)
        wanted, found = self.config.model.class_num, self.table.num_classes
        if wanted != found:
            raise UserError(
                f"class_num is {wanted}, but {self._data_name}, which {self.info.name} segments, has {found} classes: "
                f"give --class_num {found}, or another --backbone"
            )

    @cached_property
    def table(self) -> LabelTable:
        """The classes: the checkpoint's, else the data set's."""
        return chosen_table(self.source, self.config, self._meta, self._given)

    @property
    def class_names(self) -> tuple[str, ...]:
        """In the order of the network's outputs."""
        return self.table.names

    @property
    def label_files(self) -> LabelFiles:
        """What the label files are."""
        return self.source.label_files(self.table)

    def checkpoint_meta(self) -> dict[str, Any]:
        """Meta data of the weights, with the table of classes."""
        return super().checkpoint_meta() | {"label_table": self.table.to_dict()}

    # -- what belongs to the weights

    @classmethod
    def configured_preprocessing(cls, config: Config) -> dict[str, Any]:
        """Size, normalisation and channel order; crops and interpolation belong to classification."""
        values = super().configured_preprocessing(config)
        return {name: values[name] for name in ("image_size", "mean", "std")} | {"rgb": config.data.rgb}

    @cached_property
    def preprocessing(self) -> ScenePreprocessing:
        """How the network sees an image."""
        own = self.configured_preprocessing(self.config)
        keys = {"image_size": {"eval_image_size", "train_image_size"}}
        stored = self._meta.get("preprocessing", {})
        stored = {name: stored[name] for name in own if name in stored}
        return ScenePreprocessing(**chosen_preprocessing(own, stored, keys, self._given))

    # -- training

    @cached_property
    def training_pairs(self) -> tuple[ScenePair, ...]:
        """The training images and their labels."""
        return self.source.load(*self.training_place)

    @property
    def training_place(self) -> tuple[str, str, str]:
        """Where the training images are, in `scan`'s words."""
        return self._place(self.config.data.dataset_path, "train")

    @property
    def notes(self) -> list[str]:
        """What the user should know about the data."""
        notes = [f"training images: {len(self.training_pairs)} at {self.config.data.dataset_path}"]
        return notes + self.source.silent(self.config.flat(), self._data_name)

    def steps_per_epoch(self, num_ranks: int) -> int:
        """Training steps that one pass over the images gives; UserError when they do not fill a batch."""
        return full_steps(self.config.data, len(self.training_pairs), num_ranks)

    def training_dataset(
        self, session: Session, first_epoch: int, first_batch: int, *, sink: bool = False
    ) -> EpochDataset | ds.Dataset:
        """Batches of images (B, 3, S, S) and labels (B, S, S), crops of the scenes."""
        data, seed = self.config.data, self.config.run.seed
        steps = self.steps_per_epoch(session.num_ranks)
        scenes = self._training_scenes()

        def entries(epoch: int) -> np.ndarray:
            ranks = {"rank": session.rank, "num_ranks": session.num_ranks}
            positions = training_positions(
                len(self.training_pairs), seed=seed, epoch=epoch, batch_size=data.images_per_step, **ranks
            )
            return scenes.entries(positions, epoch)

        def build(order: Collection[int], _epoch: int) -> ds.Dataset:
            return scene_batches(scenes, order, data.images_per_step, data.train_num_workers)

        start = (seed, session.rank), first_epoch, first_batch
        return training_epochs(build, entries, scenes, steps, *start, sink=sink, timeout=data.data_timeout)

    def _training_scenes(self) -> TrainingScenes:
        data = self.config.data
        augmentation = JointAugmentation(
            input_size=data.train_image_size,
            scales=tuple(data.train_scales),
            hflip=data.hflip,
            color_jitter=self.config.augment.color_jitter,
        )
        how = self.label_files, augmentation, self.preprocessing.normalization
        return TrainingScenes(self.training_pairs, *how, seed=self.config.run.seed)

    def loss(self) -> nn.Cell:
        """The training loss."""
        settings = self.config.loss
        return create_loss(
            settings.loss_name,
            class_num=self.table.num_classes,
            ohem_thres=settings.ohem_thres,
            ohem_keep=settings.ohem_keep,
            ignore_label=IGNORED,
        )

    def check_settings(self) -> None:
        """UserError for another task's loss; scales, flips and colours may be what the schema lets them be."""
        name = self.config.loss.loss_name
        if name not in SEGMENTATION_LOSSES:
            known = ", ".join(SEGMENTATION_LOSSES)
            raise UserError(f"loss_name {name} is for classification networks: choose one of {known}")

    def step_log(self, progress, logger, learning_rate: Callable[[], float]) -> list[LogSegmentation]:
        """The seed's lines."""
        return [LogSegmentation(progress, logger, learning_rate)]

    # -- evaluation

    @cached_property
    def evaluation_pairs(self) -> tuple[ScenePair, ...]:
        """The images of eval_split."""
        return self.source.load(*self.evaluation_place)

    @property
    def evaluation_place(self) -> tuple[str, str, str]:
        """Where the images of eval_split are, in `scan`'s words."""
        return self._place(self.config.eval.eval_path or self.config.data.dataset_path, self.config.eval.eval_split)

    def check_validation(self) -> None:
        """Look for the validation images; of a split without a truth there must be something to submit."""
        self.source.check(self.evaluation_place[0], self.table)
        _ = self.evaluation_pairs
        if not self._has_truth and not self.config.output.submit:
            raise UserError("eval_split test has no public truth: give --submit FOLDER for the files to be scored")

    @property
    def _has_truth(self) -> bool:
        return not (self.source.hidden_truth and self.config.eval.eval_split == "test")

    @property
    def evaluation_note(self) -> str:
        """Number and split of the images, and how each is looked at."""
        return f"{len(self.evaluation_pairs)} images of {self.config.eval.eval_split}, {self._seen}"

    def evaluation_set(self, session: Session) -> EvaluationSet:
        """This rank's share of the images, one at a time: their sizes may differ."""
        pairs = self.evaluation_pairs
        order = evaluation_positions(len(pairs), rank=session.rank, num_ranks=session.num_ranks, batch_size=1)

        share = [pairs[position] for position in order.positions]
        scenes = WholeScenes(share, self.label_files, self.preprocessing.normalization)
        workers, timeout = self.config.eval.eval_num_workers, self.config.data.data_timeout
        batches = partial(scene_by_scene, scenes, workers, timeout)
        files = [pair.image for pair in scenes.pairs]
        weights = np.split(order.weights, len(order.weights))
        return EvaluationSet(batches, weights, len(pairs), files, self._has_truth)

    def examples(self, data: EvaluationSet) -> SceneObserver:
        """An observer of an evaluation that keeps its best and worst images, and writes the files of `submit`."""
        submit = self.config.output.submit
        submission = Submission(submit, data.files, self.table, self.source.submission_name) if submit else None
        return SceneObserver(SceneExamples(data.files, self.table.num_classes, IGNORED), submission)

    def outputs(self, forward: Callable, image: np.ndarray) -> np.ndarray:
        """The classes (1, H, W) of an image (1, 3, H, W)."""
        return self.scene_predictor(forward)(image[0])[None]

    def scene_predictor(self, forward: Callable) -> ScenePredictor:
        """`forward` on images of any size, as the evaluation keys say."""
        return ScenePredictor.from_config(self.config, forward, self.preprocessing.image_size)

    def metric(self) -> SegmentationMetric:
        """An empty count of confused pixels."""
        return SegmentationMetric(self.table.num_classes, IGNORED)

    def summarise(self, evaluation: Evaluation, examples: SceneObserver) -> TaskResult:
        """IoU of each class; of a split without a truth only where its files are."""
        submit, num_images = self.config.output.submit, len(self.evaluation_pairs)
        submitted = [f"see {submit}: label ids of {num_images} images"] if submit else []
        if evaluation.result is None:
            return TaskResult(lines=submitted)
        result = task_result(evaluation, examples.examples, self.table, num_images, self._seen)
        return replace(result, lines=[*result.lines, *submitted])

    @property
    def _seen(self) -> str:
        """How each image is looked at, in words."""
        evaluation, size = self.config.eval, self.preprocessing.image_size
        seen = f"windows of {size} pixels" if evaluation.eval_mode == "window" else "each at once"
        scales = ", ".join(f"{scale:g}" for scale in evaluation.eval_scales)
        return f"{seen}, scales {scales}{', mirrored too' if evaluation.eval_flip else ''}"

    # -- prediction

    def predictor(self, network: nn.Cell) -> TrainedSegmentation:
        """A trained network for use from Python."""
        return TrainedSegmentation(self, network)

    def predict(self, network: nn.Cell, files: Sequence[Path], make_folder: Callable[[], Path]) -> None:
        """A map and an overlay for each picture, and a sheet."""
        forward = with_mixed_precision(network, self.config.run.amp_level).set_train(False)
        write_maps(self.predictor(forward), files, make_folder())

    # -- looks at the data

    def inspect(self) -> list[str]:
        """Decode every pair of files."""
        return check_scenes(self)

    def show(self, image: np.ndarray, label: np.ndarray) -> tuple[np.ndarray, str]:
        """The label's colours laid over what the network sees, and its largest classes."""
        pixels = self.preprocessing.normalization.pixels(image)
        return overlay(pixels, label, self.table.palette), shares(label, self.table)

    # -- export

    def inputs(self, files: Sequence[Path]) -> np.ndarray:
        """Pictures' corners as the network's input, (N, 3, S, S)."""
        return read_corners(files, self.preprocessing)

    def sample_files(self, number: int) -> list[Path]:
        """Some validation pictures, evenly chosen."""
        files = [pair.image for pair in self.evaluation_pairs]
        return files[:: max(1, len(files) // number)]

    def export_card(self) -> dict[str, Any]:
        """What a program must know of input and output to use an exported file."""
        return {
            "preprocessing": self.preprocessing.card(),
            "output": "logits of the classes for each pixel of the input",
            "class_names": list(self.class_names),
            "palette": [list(color) for color in self.table.palette],
            "label_ids": list(self.table.label_ids),
        }

    def _place(self, root: str, split: str) -> tuple[str, str, str]:
        return root, self.config.data.data_list, split
