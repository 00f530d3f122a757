"""The evaluation command for segmentation: one confusion matrix, the IoU of each class, the best and worst images."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import numpy as np

from src.config import UserError
from src.datasets.sources.cityscapes_classes import CLASS_NAMES, PALETTE
from src.engine.evaluator import Evaluation, Evaluator
from src.engine.loaded import Loaded
from src.engine.scene_inference import TrainedSegmentation
from src.engine.scene_recorder import SceneRecorder, submission_folder
from src.metrics import iou_table, seed_result, write_iou_csv
from src.runtime.distributed import sum_over_ranks
from src.runtime.entry import start
from src.runtime.logs import get_logger
from src.runtime.run_folder import fresh_folder
from src.visualization import segmentation_sheet, write_atomically, write_palette_png

NUM_SHOWN = 4  # best images, and as many worst ones


def evaluate_scenes(loaded: Loaded, notes: tuple[str, ...]) -> int:
    """Evaluate a segmentation checkpoint on the images of eval_split; returns the exit code."""
    config, task = loaded.config, loaded.task
    num_images = len(task.evaluation_pairs)
    if config.eval.eval_split == "test" and not config.output.submit:
        raise UserError("eval_split test has no public truth: give --submit FOLDER for the files to be scored")
    session = start(config, notes)
    logger = get_logger()
    network = loaded.network(session)
    recorder = SceneRecorder(task, session, submission_folder(config.output.submit))
    logger.info("load model %s success", loaded.checkpoint.path)
    logger.info("evaluating on %d images of %s, %s", num_images, config.eval.eval_split, _manner(loaded))
    evaluator = Evaluator(
        network, task.evaluation_set(session), task.outputs, lambda: recorder, session, config.run.amp_level
    )
    evaluation = evaluator.run(loaded.weights())
    scores = sum_over_ranks(recorder.scores, session.num_ranks)
    if session.is_main:
        _report(loaded, evaluation, TrainedSegmentation(task, evaluator.forward), scores, logger)
    return 0


def _manner(loaded: Loaded) -> str:
    """How each image is looked at, in words."""
    evaluation = loaded.config.eval
    size = loaded.task.preprocessing.image_size
    seen = f"windows of {size} pixels" if evaluation.eval_mode == "window" else "each at once"
    scales = ", ".join(f"{scale:g}" for scale in evaluation.eval_scales)
    return f"{seen}, scales {scales}{', mirrored too' if evaluation.eval_flip else ''}"


def _report(
    loaded: Loaded, evaluation: Evaluation, model: TrainedSegmentation, scores: np.ndarray, logger: logging.Logger
) -> None:
    logger.info("%.3f s an image, total cost time: %.1fs", evaluation.seconds_per_step, evaluation.seconds)
    submit = loaded.config.output.submit
    if submit:
        logger.info("see %s: label ids of %d images", submit, len(scores))
    if evaluation.result is None:
        return
    for line in (*iou_table(evaluation.result, CLASS_NAMES).splitlines(), f"mIOU: {evaluation.result.mean_iou:.6f}"):
        logger.info(line)
    folder = fresh_folder(loaded.evaluation_folder)
    _write_figures(loaded, evaluation, folder)
    _draw(model, scores, folder)
    for name in ("result/result.txt", "per_class.csv", "best.png", "worst.png"):
        logger.info("see %s", folder / name)


def _write_figures(loaded: Loaded, evaluation: Evaluation, folder: Path) -> None:
    result = evaluation.result
    (folder / "result").mkdir()
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


def _draw(model: TrainedSegmentation, scores: np.ndarray, folder: Path) -> None:
    """A sheet of the best images and one of the worst, and the coloured prediction of each."""
    order = np.argsort(scores, kind="stable")
    pairs = model.task.evaluation_pairs
    (folder / "predictions").mkdir()
    for name, positions in (("worst", order[:NUM_SHOWN]), ("best", order[::-1][:NUM_SHOWN])):
        items = [model.segment_pair(pairs[position]) for position in positions]
        segmentation_sheet(items, CLASS_NAMES, PALETTE, folder / f"{name}.png")
        for item in items:
            write_palette_png(folder / "predictions" / f"{item.name}.png", item.prediction, PALETTE)
