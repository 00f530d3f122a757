"""Evaluation of a segmentation network: its observers, result files and report sections."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np

from src.config import UserError
from src.datasets.sources.label_table import LabelTable
from src.inference.evaluator import Evaluation
from src.metrics import SegmentationResult, iou_table, seed_result, write_iou_csv
from src.runtime.files import partial_path, remove_leftovers, write_atomically
from src.tasks.segmentation.examples import SceneExamples
from src.tasks.task import TaskResult
from src.visualization import SegmentedImage, segmentation_sheet, write_label_png, write_palette_png
from src.visualization.page import Section, halved_table, paragraph, picture


class Submission:
    """Writes the predictions of an evaluation as files of label ids, the input of a data set's scorer.

    Each rank writes its own into a hidden folder, and `finish` lets them appear.

    Args:
        folder: target folder, created if missing.
        files: this rank's images in the order of evaluation, padding included.
        table: gives the label id of each class.
        name: file name in the folder for an image.

    Raises:
        UserError: the folder cannot be created.
    """

    def __init__(self, folder: str, files: Sequence[Path], table: LabelTable, name: Callable[[Path], str]):
        self._table, self._name = table, name
        self._place = Path(folder)
        self._folder = partial_path(self._place)
        self._files: Iterator[Path] = iter(files)
        try:
            self._place.mkdir(parents=True, exist_ok=True)
            remove_leftovers(self._place)
            self._folder.mkdir(exist_ok=True)
        except OSError as error:
            raise UserError(f"submit: {folder} cannot be written ({error.strerror}): give --submit FOLDER") from None

    def finish(self) -> None:
        """Let the files appear: all at once, or beside those of other ranks, or in place of an earlier evaluation's.

        To be called when all ranks have evaluated their images.
        """
        with suppress(OSError):  # not empty, or a link
            os.replace(self._folder, self._place)
            return
        for file in self._folder.iterdir():
            os.replace(file, self._place / file.name)
        self._folder.rmdir()

    def __call__(self, predictions: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> None:
        """Write the predicted classes (1, H, W) of one image, unless its weight (1,) is 0 (padding)."""
        file = next(self._files)
        if not weights[0]:
            return
        try:
            write_label_png(self._folder / self._name(file), self._table.to_label_ids(predictions[0]))
        except OSError:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise


class SceneObserver:
    """Observer of an evaluation: keeps the best and worst images and writes the submission.

    Attributes:
        examples: the best and worst images.
    """

    def __init__(self, examples: SceneExamples, submission: Submission | None):
        self.examples, self._submission = examples, submission

    def __call__(self, predictions: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> None:
        self.examples(predictions, labels, weights)
        if self._submission is not None:
            self._submission(predictions, labels, weights)

    def finish(self) -> None:
        """Complete the submission."""
        if self._submission is not None:
            self._submission.finish()


def check_submission(folder: str, *, replaced: bool) -> None:
    """UserError for a folder that holds files already, unless this command may replace them."""
    if folder and not replaced and os.path.lexists(folder) and not (Path(folder).is_dir() and not os.listdir(folder)):
        raise UserError(f"submit: {folder} exists already and is not an empty folder: give another --submit FOLDER")


def task_result(
    evaluation: Evaluation, examples: SceneExamples, table: LabelTable, num_images: int, setup: str
) -> TaskResult:
    """Result of an evaluation; `setup` describes windows, scales and flips."""
    result = evaluation.result

    def write(folder: Path) -> list[str]:
        write_atomically(folder / "result" / "result.txt", seed_result(result))
        write_iou_csv(folder / "per_class.csv", result, table.names)
        return ["result/result.txt", "per_class.csv", *_draw(examples, table, folder)]

    return TaskResult(
        score=result.mean_iou,
        numbers={"pixel_accuracy": result.pixel_accuracy},
        summary={
            "images": num_images,
            "miou": result.mean_iou,
            "pixel_accuracy": result.pixel_accuracy,
            "classes": int(np.isfinite(result.iou).sum()),
            "iou": {name: _number(iou) for name, iou in zip(table.names, result.iou, strict=True)},
            "seen": setup,
            "seconds_per_image": evaluation.seconds_per_step,
        },
        headline=f"{result.mean_iou:.2%} mIoU",
        facts=[
            ("pixel accuracy", f"{result.pixel_accuracy:.2%}"),
            ("images", f"{num_images:,}"),
            ("classes that occur", f"{np.isfinite(result.iou).sum()} of {len(table.names)}"),
            ("read as", setup),
            ("time per image", f"{evaluation.seconds_per_step:.3f} s"),
            ("duration", f"{evaluation.seconds:.1f} s, with compiling"),
        ],
        lines=[
            f"{evaluation.seconds_per_step:.3f} s per image, total cost time: {evaluation.seconds:.1f}s",
            *iou_table(result, table.names).splitlines(),
            f"mIOU: {result.mean_iou:.6f}",
        ],
        write=write,
        sections=lambda: report_sections(result, examples, table),
    )


def report_sections(result: SegmentationResult, examples: SceneExamples, labels: LabelTable) -> list[Section]:
    """Report sections: IoU per class, best and worst images."""
    rows = [
        (name, "-" if iou != iou else f"{iou:.2%}", int(pixels))
        for name, iou, pixels in zip(labels.names, result.iou, result.confusion.sum(1), strict=True)
    ]
    rows.append(("mean", f"{result.mean_iou:.2%}", result.num_pixels))

    def sheet(items: list[SegmentedImage], text: str) -> str:
        if not items:
            return paragraph("There are none.")
        drawn = picture(lambda file: segmentation_sheet(items, labels.names, labels.palette, file), text)
        return paragraph("Ranked by the mean IoU of each image.") + drawn

    return [
        Section("Intersection over union", halved_table(rows, ("class", "IoU", "pixels"))),
        Section("Best examples", sheet(examples.best(), "images with the best predictions")),
        Section("Worst examples", sheet(examples.worst(), "images with the worst predictions")),
    ]


def _draw(examples: SceneExamples, table: LabelTable, folder: Path) -> list[str]:
    """Write a sheet of the best and one of the worst images of this rank, and their coloured predictions.

    Returns:
        The names of the sheets; a single image has no worst one.
    """
    sheets = {name: items for name, items in (("best", examples.best()), ("worst", examples.worst())) if items}
    for name, items in sheets.items():
        segmentation_sheet(items, table.names, table.palette, folder / f"{name}.png")
        for item in items:
            write_palette_png(folder / "predictions" / f"{item.name}.png", item.prediction, table.palette)
    return [f"{name}.png" for name in sheets]


def _number(iou: float) -> float | None:
    """IoU of a class; None (null in JSON) for a class without pixels."""
    return float(iou) if np.isfinite(iou) else None
