"""Evaluation result of a classification network: the seeds' log lines, result files, report sections."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from src.inference.evaluator import Evaluation
from src.metrics import ClassificationResult, write_per_class_csv
from src.tasks.classification.examples import Examples
from src.tasks.task import TaskResult
from src.visualization import plot_confusion_matrix, prediction_grid
from src.visualization.page import Section, paragraph, picture, table

NUM_EXAMPLES = 12
NUM_CLASSES_LISTED = 15


def task_result(
    evaluation: Evaluation, local: ClassificationResult, examples: Examples, class_names: Sequence[str]
) -> TaskResult:
    """Result of an evaluation; `local` is the part of this rank."""
    result, names = evaluation.result, list(class_names)

    def write(folder: Path) -> list[str]:
        plot_confusion_matrix(result.confusion[: len(names), : len(names)], names, folder / "confusion_matrix.png")
        write_per_class_csv(folder / "per_class.csv", result.per_class(names))
        return ["confusion_matrix.png", "per_class.csv"]

    return TaskResult(
        score=result.top1,
        numbers={"top5": result.top5, "eval_loss": result.loss},
        summary=_summary(evaluation),
        lines=result_lines(evaluation, local),
        write=write,
        sections=lambda: report_sections(result, examples, names),
    )


def result_lines(evaluation: Evaluation, local: ClassificationResult) -> list[str]:
    """Log lines in the formats of the seeds; `local` is the part of this rank."""
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


def report_sections(result: ClassificationResult, examples: Examples, class_names: Sequence[str]) -> list[Section]:
    """Report sections: confusion matrix, best and worst examples."""
    best, worst = examples.best(NUM_EXAMPLES), examples.worst(NUM_EXAMPLES)
    return [
        Section("Confusion matrix", _confusions(result, list(class_names))),
        Section(
            "Best examples",
            paragraph("Highest probability of the true class.")
            + picture(lambda file: prediction_grid(best, file), "images with the best predictions"),
        ),
        Section(
            "Worst examples",
            paragraph("Lowest probability of the true class: hard images, or wrong labels.")
            + picture(lambda file: prediction_grid(worst, file), "images with the worst predictions"),
        ),
    ]


def _summary(evaluation: Evaluation) -> dict[str, Any]:
    result = evaluation.result
    return {
        "images": result.num_images,
        "top1": result.top1,
        "top5": result.top5,
        "loss": result.loss,
        "images_per_second": evaluation.images_per_second,
    }


def _confusions(result: ClassificationResult, names: list[str]) -> str:
    confusion = result.confusion[: len(names), : len(names)]
    drawn = picture(lambda file: plot_confusion_matrix(confusion, names, file), "confusion matrix")
    rows = [row for row in result.per_class(names) if row.num_images]
    rows.sort(key=lambda row: (row.accuracy, row.name))
    listed = [
        (row.name, row.num_images, row.num_correct, f"{row.accuracy:.1%}", row.most_confused_with)
        for row in rows[:NUM_CLASSES_LISTED]
    ]
    header = ("class", "images", "correct", "accuracy", "most often taken for")
    return drawn + paragraph("The classes with the lowest accuracy:") + table(listed, header)
