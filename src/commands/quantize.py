"""Export of an int8 ONNX file, scored on the validation data beside the float32 one from which it is made."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mindspore as ms
import numpy as np
from tqdm import tqdm

from src.commands.opened_checkpoint import OpenedCheckpoint
from src.config import UserError
from src.datasets.sources.picture_files import find_pictures
from src.deployment.card import keep_with_card
from src.deployment.exported_file import open_onnx
from src.deployment.quantization import quantize
from src.inference.evaluator import Evaluation
from src.runtime.files import temporary_folder
from src.runtime.logs import get_logger
from src.runtime.session import Session
from src.runtime.terminal import progress_shown
from src.tasks.task import Task

ENDING = ".int8.onnx"
CALIBRATED_AT_ONCE = 8  # images
NUM_CALIBRATED = 128


@dataclass(frozen=True)
class Calibration:
    """Images whose ranges the int8 file takes, and the images on which it is scored, both found."""

    task: Task
    files: list[Path]

    @classmethod
    def of(cls, opened: OpenedCheckpoint) -> Calibration:
        """The images of `input`, else training images; UserError without them or without validation data."""
        task, chosen = opened.task.of_fixed_size(), opened.config.output.input
        try:
            task.check_validation()
            files = find_pictures(chosen) if chosen else task.sample_files(NUM_CALIBRATED, training=True)
        except UserError as error:
            raise UserError(f"quantize needs images to set the ranges, and validation images: {error}") from None
        return cls(task, files)

    def batches(self) -> Iterator[np.ndarray]:
        """(B, 3, S, S) float32, read one at a time."""
        for start in range(0, len(self.files), CALIBRATED_AT_ONCE):
            yield self.task.inputs(self.files[start : start + CALIBRATED_AT_ONCE])


def export_int8(
    float32: Callable[[Path], Path],
    calibration: Calibration,
    session: Session,
    path: Path,
    card: Callable[[dict[str, Any]], dict[str, Any]],
) -> None:
    """Write the int8 ONNX file at `path` with its card, and log the scores of both files.

    Args:
        float32: gives the float32 ONNX file, or writes it into the temporary folder that it receives.
        card: makes the content of the JSON file from what is known of the quantisation.
    """
    task, logger = calibration.task, get_logger()
    with temporary_folder(path) as folder:
        source, made = float32(folder), folder / path.name
        quantize(source, made, calibration.batches())
        logger.info("%s: comparing float32 and int8 on %s", path, task.evaluation_note)
        found = scores(task, session, {"float32": source, "int8": made})
        facts = {"calibration_images": len(calibration.files), "score": task.score_name, **found}
        keep_with_card(made, card(facts), path)
    loss = found["float32"] - found["int8"]
    logger.info(
        "%s: exported, %s %.4f as float32, %.4f as int8: %.4f lost",
        *(path, task.score_name, found["float32"], found["int8"], loss),
    )


def scores(task: Task, session: Session, files: Mapping[str, Path]) -> dict[str, float]:
    """The task's score of each ONNX file on the validation data, which are read once."""
    data, forwards = task.evaluation_set(session), {name: _forward(file) for name, file in files.items()}
    metrics = {name: task.metric() for name in files}
    bar = tqdm(
        zip(data.batches(), data.weights, strict=True),
        total=len(data.weights),
        desc="evaluating",
        unit="batch",
        leave=False,
        disable=not progress_shown(),
    )
    for (image, label), counted in bar:
        for name, forward in forwards.items():
            metrics[name].update(task.outputs(forward, image), np.asarray(label), counted)
    return {name: _score(task, metric, data) for name, metric in metrics.items()}


def _forward(file: Path) -> Callable[[ms.Tensor], ms.Tensor]:
    program = open_onnx(file)
    return lambda images: ms.Tensor(program.run(images.asnumpy())[0][0])


def _score(task: Task, metric: Any, data: Any) -> float:
    evaluation = Evaluation(metric.compute(), metric.state(), 0.0, 0.0, 0.0)
    return task.summarise(evaluation, task.examples(data)).score
