"""The evaluation command for segmentation: one confusion matrix, the IoU of each class, the best and worst images."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from src.commands.trained import Loaded
from src.config import UserError
from src.datasets.sources.cityscapes_classes import CLASS_NAMES, PALETTE
from src.inference.evaluator import Evaluation, EvaluationSet, Evaluator
from src.inference.networks import with_mixed_precision
from src.metrics import iou_table, seed_result, write_iou_csv
from src.runtime.files import write_atomically
from src.runtime.logs import get_logger
from src.runtime.run_folder import fresh_folder
from src.runtime.session import Session, start
from src.runtime.terminal import progress_shown
from src.tasks.segmentation.examples import SceneExamples
from src.tasks.segmentation.submission import Submission
from src.training.report import Results, evaluation_report
from src.visualization import segmentation_sheet, write_palette_png


def evaluate_scenes(loaded: Loaded, notes: tuple[str, ...]) -> int:
    """Evaluate a segmentation checkpoint on the images of eval_split; returns the exit code."""
    config, split, submit = loaded.config, loaded.config.eval.eval_split, loaded.config.output.submit
    num_images = len(loaded.task.evaluation_pairs)
    if split == "test" and not submit:
        raise UserError("eval_split test has no public truth: give --submit FOLDER for the files to be scored")
    session = start(config, notes)
    logger = get_logger()
    data = loaded.task.evaluation_set(session)
    written = Submission(submit, data.files) if submit else None
    logger.info("load model %s success", loaded.checkpoint.path)
    logger.info("evaluating on %d images of %s, %s", num_images, split, _manner(loaded))
    if split == "test":
        _predict(loaded, session, data, written)
    else:
        _evaluate(loaded, session, data, written, logger)
    if submit:
        logger.info("see %s: label ids of %d images", submit, num_images)
    return 0


def _manner(loaded: Loaded) -> str:
    """How each image is looked at, in words."""
    evaluation = loaded.config.eval
    size = loaded.task.preprocessing.image_size
    seen = f"windows of {size} pixels" if evaluation.eval_mode == "window" else "each at once"
    scales = ", ".join(f"{scale:g}" for scale in evaluation.eval_scales)
    return f"{seen}, scales {scales}{', mirrored too' if evaluation.eval_flip else ''}"


def _predict(loaded: Loaded, session: Session, data: EvaluationSet, written: Submission) -> None:
    """Images without a truth: nothing to count."""
    forward = with_mixed_precision(loaded.network(session), loaded.config.run.amp_level).set_train(False)
    batches = zip(data.batches(), data.weights, strict=True)
    shown = session.is_main and progress_shown()
    for (image, label), counted in tqdm(batches, total=len(data.weights), leave=False, disable=not shown):
        written(loaded.task.outputs(forward, image), label, counted)


def _evaluate(
    loaded: Loaded, session: Session, data: EvaluationSet, written: Submission | None, logger: logging.Logger
) -> None:
    task, network = loaded.task, loaded.network(session)
    evaluator = Evaluator(network, data, task.outputs, task.metric, session, loaded.config.run.amp_level)
    examples = task.examples(data)
    evaluation = evaluator.run(loaded.weights(), _both(examples, written))
    if not session.is_main:
        return
    logger.info("%.3f s an image, total cost time: %.1fs", evaluation.seconds_per_step, evaluation.seconds)
    for line in iou_table(evaluation.result, CLASS_NAMES).splitlines():
        logger.info(line)
    logger.info("mIOU: %.6f", evaluation.result.mean_iou)
    folder = fresh_folder(loaded.evaluation_folder)
    summary = _write_figures(loaded, evaluation, folder)
    _draw(examples, folder)
    files = ["result/result.txt", "per_class.csv", "best.png", "worst.png"]
    if loaded.config.run.report:
        results = Results(evaluation, examples, CLASS_NAMES)
        evaluation_report(folder / "report.html", loaded.config, summary, results)
        files.append("report.html")
    for name in files:
        logger.info("see %s", folder / name)


def _both(first: Callable[..., None], second: Callable[..., None] | None) -> Callable[..., None]:
    """One observer of an evaluation for two."""

    def observe(*batch: np.ndarray) -> None:
        first(*batch)
        if second is not None:
            second(*batch)

    return observe


def _write_figures(loaded: Loaded, evaluation: Evaluation, folder: Path) -> dict[str, Any]:
    """The seed's file, a table, and result.json, which is returned."""
    result = evaluation.result
    write_atomically(folder / "result" / "result.txt", seed_result(result).encode())
    write_iou_csv(folder / "per_class.csv", result, CLASS_NAMES)
    summary = {
        "checkpoint": str(loaded.checkpoint.path),
        "images": len(loaded.task.evaluation_pairs),
        "miou": result.mean_iou,
        "pixel_accuracy": result.pixel_accuracy,
        "classes": int(np.isfinite(result.iou).sum()),
        "seen": _manner(loaded),
        "seconds_per_image": evaluation.seconds_per_step,
    }
    write_atomically(folder / "result.json", json.dumps(summary, indent=2).encode())
    return summary


def _draw(examples: SceneExamples, folder: Path) -> None:
    """A sheet of the best images and one of the worst (of this rank), and the coloured prediction of each."""
    for name, items in (("best", examples.best()), ("worst", examples.worst())):
        segmentation_sheet(items, CLASS_NAMES, PALETTE, folder / f"{name}.png")
        for item in items:
            write_palette_png(folder / "predictions" / f"{item.name}.png", item.prediction, PALETTE)
