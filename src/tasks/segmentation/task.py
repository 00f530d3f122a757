"""Semantic segmentation on Cityscapes or on images with masks."""

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
from src.config.errors import counted
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
from src.tasks.segmentation.evaluation import SceneObserver, Submission, check_submission, task_result
from src.tasks.segmentation.examples import SceneExamples
from src.tasks.segmentation.inspection import check_scenes
from src.tasks.segmentation.prediction import ScenePredictor, TrainedSegmentation, largest_classes, write_maps
from src.tasks.segmentation.sources import SOURCES, chosen_table, source_name
from src.tasks.task import Task, TaskResult, chosen_preprocessing, full_steps
from src.visualization import class_colors, overlay
from src.visualization.canvas import NamedColor


class SegmentationTask(Task):
    """Pairs of image and label, trained on crops, evaluated on whole images by mean IoU."""

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
        """The class table: the checkpoint's, else the data set's."""
        return chosen_table(self.source, self.config, self._meta, self._given)

    @property
    def class_names(self) -> tuple[str, ...]:
        """Class names in the order of the network's outputs."""
        return self.table.names

    @property
    def label_files(self) -> LabelFiles:
        """Format of the label files."""
        return self.source.label_files(self.table)

    def checkpoint_meta(self) -> dict[str, Any]:
        """Meta data of the weights, with the table of classes and the number of images that they were trained on."""
        own = {"label_table": self.table.to_dict(), "training_images": len(self.training_pairs)}
        return super().checkpoint_meta() | own

    # -- what belongs to the weights

    @classmethod
    def configured_preprocessing(cls, config: Config) -> dict[str, Any]:
        """Size, normalisation and channel order; crops and interpolation belong to classification."""
        values = super().configured_preprocessing(config)
        return {name: values[name] for name in ("image_size", "mean", "std")} | {"rgb": config.data.rgb}

    @cached_property
    def preprocessing(self) -> ScenePreprocessing:
        """Preprocessing of an image: the checkpoint's, unless the user sets its keys."""
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
        """Arguments of `SceneSource.scan` for the training images."""
        return self._place(self.config.data.dataset_path, "train")

    @property
    def notes(self) -> list[str]:
        """Number and place of the training images, and settings without effect on them."""
        notes = [f"training images: {len(self.training_pairs)} at {self.config.data.dataset_path}"]
        return notes + self.source.silent(self.config.flat(), self._data_name)

    def steps_per_epoch(self, num_ranks: int) -> int:
        """Training steps per epoch; UserError if the images do not fill one batch."""
        return full_steps(self.config.data, len(self.training_pairs), num_ranks)

    def training_dataset(
        self, session: Session, first_epoch: int, first_batch: int, *, sink: bool = False
    ) -> EpochDataset | ds.Dataset:
        """Batches of augmented crops: images (B, 3, S, S) float32 and labels (B, S, S)."""
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
        return TrainingScenes(self.training_pairs, *how, seed=self.config.run.seed, max_bad_images=data.max_bad_images)

    def loss(self) -> nn.Cell:
        """The training loss: (network outputs, labels (B, S, S)) -> scalar."""
        settings = self.config.loss
        return create_loss(
            settings.loss_name,
            class_num=self.table.num_classes,
            ohem_thres=settings.ohem_thres,
            ohem_keep=settings.ohem_keep,
            ignore_label=IGNORED,
        )

    def check_settings(self) -> None:
        """Raise UserError for a loss of another task; the schema checks all other settings."""
        name = self.config.loss.loss_name
        if name not in SEGMENTATION_LOSSES:
            known = ", ".join(SEGMENTATION_LOSSES)
            raise UserError(f"loss_name {name} is for classification networks: choose one of {known}")

    def step_log(self, progress, logger, learning_rate: Callable[[], float]) -> list[LogSegmentation]:
        """The log lines of the segmentation seed."""
        return [LogSegmentation(progress, logger, learning_rate)]

    # -- evaluation

    @cached_property
    def evaluation_pairs(self) -> tuple[ScenePair, ...]:
        """The images of eval_split."""
        return self.source.load(*self.evaluation_place)

    @property
    def evaluation_place(self) -> tuple[str, str, str]:
        """Arguments of `SceneSource.scan` for the images of eval_split."""
        return self._place(self.config.eval.eval_path or self.config.data.dataset_path, self.config.eval.eval_split)

    def check_validation(self) -> None:
        """Raise UserError if validation images are missing, or if a split without public labels is not submitted."""
        self.source.check(self.evaluation_place[0], self.table)
        check_submission(self.config.output.submit, replaced=bool(self.config.checkpoint.resume))
        _ = self.evaluation_pairs
        if not self._has_truth and not self.config.output.submit:
            raise UserError("eval_split test has no public labels: give --submit FOLDER for the files to be scored")

    @property
    def _has_truth(self) -> bool:
        return not (self.source.hidden_truth and self.config.eval.eval_split == "test")

    @property
    def evaluation_note(self) -> str:
        """Number and split of the images, with windows, scales and flips."""
        return (
            f"{counted(len(self.evaluation_pairs), 'image')} of {self.config.eval.eval_split}, {self._evaluation_setup}"
        )

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
        """Predictor of images of any size, by `forward` and the evaluation keys."""
        return ScenePredictor.from_config(self.config, forward, self.preprocessing.image_size)

    def metric(self) -> SegmentationMetric:
        """An empty confusion matrix."""
        return SegmentationMetric(self.table.num_classes, IGNORED)

    def summarise(self, evaluation: Evaluation, examples: SceneObserver) -> TaskResult:
        """IoU per class; for a split without labels, only the place of the submission."""
        submit, num_images = self.config.output.submit, len(self.evaluation_pairs)
        examples.finish()
        submitted = [f"see {submit}: label ids of {counted(num_images, 'image')}"] if submit else []
        if evaluation.result is None:
            return TaskResult(lines=submitted)
        result = task_result(evaluation, examples.examples, self.table, num_images, self._evaluation_setup)
        return replace(result, lines=[*result.lines, *submitted])

    def of_fixed_size(self) -> SegmentationTask:
        """This task, evaluated in windows."""
        return SegmentationTask(self.config.with_values(eval_mode="window"), self._meta, self._given)

    @property
    def _evaluation_setup(self) -> str:
        """Description of windows, scales and flips."""
        evaluation, size = self.config.eval, self.preprocessing.image_size
        parts = f"windows of {size} pixels" if evaluation.eval_mode == "window" else "whole images"
        scales = ", ".join(f"{scale:g}" for scale in evaluation.eval_scales)
        return f"{parts}, scales {scales}{', with mirrored copies' if evaluation.eval_flip else ''}"

    # -- prediction

    def predictor(self, network: nn.Cell) -> TrainedSegmentation:
        """A trained network for use from Python."""
        return TrainedSegmentation(self, network)

    def predict(self, network: nn.Cell, files: Sequence[Path], make_folder: Callable[[], Path]) -> None:
        """Write a map and an overlay per image, and a sheet."""
        forward = with_mixed_precision(network, self.config.run.amp_level).set_train(False)
        write_maps(self.predictor(forward), files, make_folder)

    # -- inspection of the data

    def inspect(self) -> list[str]:
        """Decode all pairs of files and print a report; returns the problems found."""
        return check_scenes(self)

    def show(self, image: np.ndarray, label: np.ndarray) -> tuple[np.ndarray, str]:
        """Overlay (S, S, 3) uint8 of a sample, and its largest classes.

        Args:
            image: (3, S, S) float32, normalised.
            label: (S, S) class of each pixel.
        """
        pixels = self.preprocessing.normalization.pixels(image)
        return overlay(pixels, label, self.table.palette), largest_classes(label, self.table)

    def shown_colors(self, samples: Sequence[tuple[np.ndarray, ...]]) -> list[NamedColor]:
        """The colours of the classes in these samples."""
        return class_colors([label for _, label in samples], self.table.names, self.table.palette)

    # -- export

    def inputs(self, files: Sequence[Path]) -> np.ndarray:
        """Upper left corners of image files as network input, (N, 3, S, S) float32."""
        return read_corners(files, self.preprocessing)

    def sample_files(self, number: int, *, training: bool = False) -> list[Path]:
        """About `number` images, evenly spaced."""
        files = [pair.image for pair in (self.training_pairs if training else self.evaluation_pairs)]
        return files[:: max(1, len(files) // number)]

    def export_card(self) -> dict[str, Any]:
        """Preprocessing, output, class names, palette and label ids, for users of an exported file."""
        return {
            "preprocessing": self.preprocessing.card(),
            "output": "logits of the classes for each pixel of the input",
            "class_names": list(self.class_names),
            "palette": [list(color) for color in self.table.palette],
            "label_ids": list(self.table.label_ids),
        }

    def _place(self, root: str, split: str) -> tuple[str, str, str]:
        return root, self.config.data.data_list, split
