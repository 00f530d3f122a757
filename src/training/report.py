"""report.html: a run on one page that can be sent to somebody."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from src.config import Config, config_text
from src.config.reader import DEFAULTS_FILE
from src.inference.evaluator import Evaluation
from src.runtime.files import write_atomically
from src.tasks.classification.examples import Examples
from src.tasks.segmentation.examples import SceneExamples
from src.tasks.segmentation.report import scene_sections
from src.visualization import (
    plot_confusion_matrix,
    plot_curves,
    plot_learning_rate,
    prediction_grid,
)
from src.visualization.page import Section, code, folded, page, paragraph, picture, table

NUM_EXAMPLES = 12
NUM_CLASSES_LISTED = 15


@dataclass(frozen=True)
class Results:
    """What an evaluation leaves for a report."""

    evaluation: Evaluation
    examples: Examples | SceneExamples
    class_names: Sequence[str]


def training_report(
    path: Path,
    *,
    name: str,
    config: Config,
    command: Sequence[str],
    ended: str,
    records: Sequence[dict[str, Any]],
    accuracy_name: str,
    rates: np.ndarray,
    steps_per_epoch: int,
    results: Results | None,
    environment: Mapping[str, Any],
) -> None:
    """Write the report of a training.

    Args:
        ended: how it ended, in words.
        records: of metrics.jsonl; accuracy_name: what their `accuracy` is.
        rates: learning rate of every step.
        results: of the last evaluation; None without one.
        environment: what the result depends on besides the configuration.
    """
    sections = [
        Section("Summary", _summary(ended, records, accuracy_name, len(rates) // steps_per_epoch)),
        Section("Command", _commands(command, path.parent / "config.yml")),
        Section("Curves", _curves(records, accuracy_name)),
        Section("Learning rate", picture(lambda file: plot_learning_rate(rates, steps_per_epoch, file), "schedule")),
        *evaluation_sections(results),
        Section("Configuration", configuration(config)),
        Section("Environment", table(environment.items())),
    ]
    _write(path, f"Training {name}", config, sections)


def evaluation_report(path: Path, config: Config, summary: Mapping[str, Any], results: Results) -> None:
    """Write the report of an evaluation; `summary` is what result.json says."""
    sections = [
        Section("Summary", table([(name, _short(value)) for name, value in summary.items()])),
        *evaluation_sections(results),
        Section("Configuration", configuration(config)),
    ]
    _write(path, f"Evaluation of {Path(summary['checkpoint']).name}", config, sections)


def _write(path: Path, title: str, config: Config, sections: Sequence[Section]) -> None:
    subtitle = f"{config.model.backbone}, {config.model.class_num} classes, {config.data.dataset_path}"
    write_atomically(path, page(title, subtitle, sections).encode())


def evaluation_sections(results: Results | None) -> list[Section]:
    """Confusion matrix (of segmentation the classes' IoU), best and worst examples of an evaluation."""
    titles = ("Confusion matrix", "Best examples", "Worst examples")
    if results is None:
        return [Section(title, paragraph("Nothing was evaluated in this run.")) for title in titles]
    if isinstance(results.examples, SceneExamples):
        return [*scene_sections(results.evaluation.result, results.examples, results.class_names)]
    best, worst = results.examples.best(NUM_EXAMPLES), results.examples.worst(NUM_EXAMPLES)
    contents = (
        _confusions(results),
        paragraph("Highest probability of the true class.")
        + picture(lambda file: prediction_grid(best, file), "pictures that the network was right about"),
        paragraph("Lowest probability of the true class: hard pictures, or wrong labels.")
        + picture(lambda file: prediction_grid(worst, file), "pictures that the network was wrong about"),
    )
    return [Section(title, content) for title, content in zip(titles, contents, strict=True)]


def configuration(config: Config) -> str:
    """The keys that are not at their default, and below them all."""
    defaults = yaml.safe_load(DEFAULTS_FILE.read_text(encoding="utf-8"))
    changed = [(key, value, defaults[key]) for key, value in config.flat().items() if value != defaults[key]]
    return table(changed, ("key", "value", "default")) + folded("all keys", code(config_text(config)))


def _summary(ended: str, records: Sequence[dict[str, Any]], accuracy_name: str, num_epochs: int) -> str:
    rows = [("ended", ended), ("epochs", f"{len(records)} of {num_epochs}")]
    if records:
        last = records[-1]
        speed = sum(record["fps"] for record in records) / len(records)
        rows += [
            ("optimizer steps", last["step"]),
            ("mean loss of the last epoch", f"{last['mean_loss']:.4f}"),
            ("time in steps", f"{sum(record['epoch_seconds'] for record in records):.1f} s"),
            ("images a second", f"{speed:.1f}"),
            ("steps skipped on overflow", last["skipped"]),
        ]
    evaluated = [record for record in records if "accuracy" in record]
    if evaluated:
        best = max(evaluated, key=lambda record: record["accuracy"])
        rows += [
            (f"best {accuracy_name}", f"{best['accuracy']:.2%} after epoch {best['epoch']}"),
            (f"last {accuracy_name}", f"{evaluated[-1]['accuracy']:.2%} after epoch {evaluated[-1]['epoch']}"),
        ]
    return table(rows)


def _commands(command: Sequence[str], config_file: Path) -> str:
    return (
        paragraph("As it was started:")
        + code(shlex.join(["python", *command]))
        + paragraph("The same from this folder's configuration:")
        + code(shlex.join(["python", "train.py", "--config_path", str(config_file)]))
    )


def _curves(records: Sequence[dict[str, Any]], accuracy_name: str) -> str:
    if not records:
        return paragraph("No epoch was completed.")
    drawn = [{**record, "loss": record["mean_loss"]} for record in records]
    keys = ("epoch", "step", "mean_loss", "lr", "fps", "accuracy", "top5", "eval_loss")
    rows = [[_short(record.get(key, "")) for key in keys] for record in records]
    curves = picture(lambda file: plot_curves(drawn, file, accuracy_name), "curves")
    return curves + folded("figures", table(rows, keys))


def _confusions(results: Results) -> str:
    names, result = list(results.class_names), results.evaluation.result
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


def _short(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
