"""The evaluation command: a checkpoint's accuracy in all the seeds' forms, confusions and per-class figures."""

from __future__ import annotations

import json
import logging

from src.commands.evaluate_scenes import evaluate_scenes
from src.commands.trained import Loaded
from src.config import Resolved
from src.inference.evaluator import Evaluation, Evaluator
from src.metrics import ClassificationResult, write_per_class_csv
from src.runtime.files import write_atomically
from src.runtime.logs import get_logger
from src.runtime.run_folder import fresh_folder
from src.runtime.session import start
from src.tasks.classification.examples import Examples
from src.tasks.segmentation.task import SegmentationTask
from src.training.report import Results, evaluation_report
from src.visualization import plot_confusion_matrix


def evaluate(resolved: Resolved) -> int:
    """Evaluate `pretrained` on the validation images; returns the exit code."""
    loaded = Loaded.from_config(resolved)
    if isinstance(loaded.task, SegmentationTask):
        return evaluate_scenes(loaded, resolved.notes)
    images = len(loaded.task.validation_folder)
    config = loaded.config
    session = start(config, resolved.notes)
    logger = get_logger()
    network = loaded.network(session)
    logger.info("load model %s success", loaded.checkpoint.path)
    logger.info("evaluating on %d images at %s", images, loaded.task.validation_folder.root)
    data = loaded.task.evaluation_set(session)
    evaluator = Evaluator(network, data, loaded.task.outputs, loaded.task.metric, session, config.run.amp_level)
    examples = loaded.task.examples(data)
    evaluation = evaluator.run(loaded.weights(), examples)
    if session.is_main:
        local = loaded.task.metric()
        local.load_state(evaluation.local_state)
        for line in result_lines(evaluation, local.compute()):
            logger.info(line)
        _write_results(loaded, evaluation, examples, logger)
    return 0


def result_lines(evaluation: Evaluation, local: ClassificationResult) -> list[str]:
    """The result as each of the seeds prints it; `local` is this rank's share of it."""
    result = evaluation.result
    local_counts, counts = ((it.num_correct, it.num_correct_top5, it.num_images) for it in (local, result))
    lines = [
        # DGMN2 and HLG
        f"accuracy={result.top1:.6f}, per step time: {evaluation.seconds_per_step:.4f}s, "
        f"total cost time: {evaluation.seconds:.4f}s",
        # ViG
        f"Top1 acc:  {result.top1:.3f}",
        f"Top5 acc:  {result.top5:.3f}",
        # ResNeXt152
        f"Inference Performance: {evaluation.images_per_second:.2f} img/sec",
        "before results=" + str([[count] for count in local_counts]),
        "after results=[" + " ".join(f"[{count}]" for count in counts) + "]",
    ]
    for name, correct in zip(("1", "5"), counts, strict=False):
        share = f"acc={correct / counts[2]:.2%}(TOP{name})"
        lines += [f"after allreduce eval: top{name}_correct={correct}, tot={counts[2]},{share}", share]
    return lines


def _write_results(loaded: Loaded, evaluation: Evaluation, examples: Examples, logger: logging.Logger) -> None:
    checkpoint, result = loaded.checkpoint, evaluation.result
    names = list(loaded.task.class_names)
    folder = fresh_folder(loaded.evaluation_folder)
    plot_confusion_matrix(result.confusion[: len(names), : len(names)], names, folder / "confusion_matrix.png")
    write_per_class_csv(folder / "per_class.csv", result.per_class(names))
    summary = {
        "checkpoint": str(checkpoint.path),
        "images": result.num_images,
        "top1": result.top1,
        "top5": result.top5,
        "loss": result.loss,
        "images_per_second": evaluation.images_per_second,
    }
    write_atomically(folder / "result.json", json.dumps(summary, indent=2).encode())
    logger.info("see %s, %s", folder / "confusion_matrix.png", folder / "per_class.csv")
    if loaded.config.run.report:
        evaluation_report(folder / "report.html", loaded.config, summary, Results(evaluation, examples, names))
        logger.info("see %s", folder / "report.html")
