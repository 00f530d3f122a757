"""Evaluation result of a classification network: the seeds' log lines, result files, report sections."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from src.inference.evaluator import Evaluation
from src.metrics import ClassificationResult, write_per_class_csv
from src.tasks.classification.examples import Examples
from src.tasks.task import TaskResult
from src.visualization import Prediction, plot_confusion_matrix, prediction_grid
from src.visualization.page import Section, paragraph, picture, side_by_side, table

NUM_EXAMPLES = 12
NUM_CLASSES_LISTED = 15
REPORT_COLUMNS = 4  # examples in a row, so that their captions are readable on a page
TOP = 5  # top-5 of no more classes is always 100 %

Counts = tuple[int, int, int]


def task_result(
    evaluation: Evaluation,
    local: Counts,
    examples: Examples,
    class_names: Sequence[str],
    dialect: str = "",
) -> TaskResult:
    """Result of an evaluation.

    Args:
        local: the part of this rank, which may be none, see `ClassificationMetric.counts`.
        dialect: the original project whose log lines appear, see `src.config.aliases.dialect_of`.
    """
    result, names = evaluation.result, list(class_names)

    def write(folder: Path) -> list[str]:
        plot_confusion_matrix(result.confusion[: len(names), : len(names)], names, folder / "confusion_matrix.png")
        write_per_class_csv(folder / "per_class.csv", result.per_class(names))
        return ["confusion_matrix.png", "per_class.csv"]

    return TaskResult(
        score=result.top1,
        numbers={"top5": result.top5, "eval_loss": result.loss},
        summary=_summary(evaluation),
        headline=f"{result.top1:.2%} top-1 accuracy",
        facts=_facts(evaluation),
        lines=LOG_LINES.get(dialect, _lines_of_dgmn2_and_hlg)(evaluation, local),
        write=write,
        sections=lambda: report_sections(result, examples, names),
    )


def _lines_of_dgmn2_and_hlg(evaluation: Evaluation, local: Counts) -> list[str]:
    return [
        f"accuracy={evaluation.result.top1:.6f}, per step time: {evaluation.seconds_per_step:.4f}s, "
        f"total cost time: {evaluation.seconds:.4f}s"
    ]


def _lines_of_vig(evaluation: Evaluation, local: Counts) -> list[str]:
    return [f"Top1 acc:  {evaluation.result.top1:.3f}", f"Top5 acc:  {evaluation.result.top5:.3f}"]


def _lines_of_resnext(evaluation: Evaluation, local: Counts) -> list[str]:
    result = evaluation.result
    counts = result.num_correct, result.num_correct_top5, result.num_images
    lines = [
        f"Inference Performance: {evaluation.images_per_second:.2f} img/sec",
        "before results=" + str([[count] for count in local]),
        "after results=[" + " ".join(f"[{count}]" for count in counts) + "]",
    ]
    for name, correct in zip(("1", "5"), counts, strict=False):
        share = f"acc={correct / counts[2]:.2%}(TOP{name})"
        lines += [f"after allreduce eval: top{name}_correct={correct}, tot={counts[2]},{share}", share]
    return lines


# By dialect: the log lines in the format of the network's original project; the others have DGMN2's and HLG's.
LOG_LINES = {"vig": _lines_of_vig, "resnext152": _lines_of_resnext}


def report_sections(result: ClassificationResult, examples: Examples, class_names: Sequence[str]) -> list[Section]:
    """Report sections: confusion matrix, best and worst examples."""
    best, worst = examples.best(NUM_EXAMPLES), examples.worst(NUM_EXAMPLES)
    return [
        Section("Confusion matrix", _confusions(result, list(class_names))),
        Section("Best examples", _sheet(best, "Right images with the highest probability of the true class.")),
        Section("Worst examples", _sheet(worst, "Lowest probability of the true class: hard images, or wrong labels.")),
    ]


def _sheet(items: Sequence[Prediction], text: str) -> str:
    if not items:
        return paragraph("There are none.")
    drawn = picture(lambda file: prediction_grid(items, file, max_columns=REPORT_COLUMNS), text)
    return paragraph(text) + drawn


def _summary(evaluation: Evaluation) -> dict[str, Any]:
    result = evaluation.result
    return {
        "images": result.num_images,
        "top1": result.top1,
        "top5": result.top5,
        "loss": result.loss,
        "images_per_second": evaluation.images_per_second,
    }


def _facts(evaluation: Evaluation) -> list[tuple[str, str]]:
    result = evaluation.result
    facts = [("images", f"{result.num_images:,}, {result.num_correct:,} of them right")]
    if len(result.confusion) > TOP:
        facts.append(("top-5 accuracy", f"{result.top5:.2%}"))
    return [
        *facts,
        ("mean cross-entropy", f"{result.loss:.4f}"),
        ("speed", f"{evaluation.images_per_second:.1f} images per second"),
        ("duration", f"{evaluation.seconds:.1f} s, with compiling"),
    ]


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
    return side_by_side(drawn, paragraph("The classes with the lowest accuracy:") + table(listed, header))
