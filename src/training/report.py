"""HTML reports of a training and of an evaluation, each a single self-contained page."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from src.config import Config, config_text
from src.config.reader import DEFAULTS_FILE
from src.runtime.files import write_atomically
from src.tasks.task import TaskResult
from src.visualization import (
    plot_curves,
    plot_learning_rate,
)
from src.visualization.page import Section, code, folded, page, paragraph, picture, table


def training_report(
    path: Path,
    *,
    name: str,
    config: Config,
    command: Sequence[str],
    ended: str,
    records: Sequence[dict[str, Any]],
    score_name: str,
    curves: Mapping[str, str],
    rates: np.ndarray,
    steps_per_epoch: int,
    result: TaskResult | None,
    environment: Mapping[str, Any],
) -> None:
    """Write the report of a training.

    Args:
        name: name of the run.
        command: command line of the training, without the interpreter.
        ended: description of how the run ended.
        records: records of metrics.jsonl, one per epoch.
        score_name, curves: see `Task`.
        rates: (steps of the run,) learning rate of each step.
        result: result of the last evaluation; None without one.
        environment: facts besides the configuration on which the result depends.
    """
    sections = [
        Section("Summary", _summary(ended, records, len(rates) // steps_per_epoch, score_name, curves[score_name])),
        Section("Command", _commands(command, path.parent / "config.yml")),
        Section("Curves", _curves(records, curves, score_name, result.numbers if result else {})),
        Section("Learning rate", picture(lambda file: plot_learning_rate(rates, steps_per_epoch, file), "schedule")),
        *evaluation_sections(result),
        Section("Configuration", configuration(config)),
        Section("Environment", table(environment.items())),
    ]
    _write(path, f"Training {name}", config, sections)


def evaluation_report(path: Path, config: Config, summary: Mapping[str, Any], result: TaskResult) -> None:
    """Write the report of an evaluation; `summary` is the content of result.json."""
    sections = [
        Section("Summary", table([(name, _short(value)) for name, value in summary.items()])),
        *evaluation_sections(result),
        Section("Configuration", configuration(config)),
    ]
    _write(path, f"Evaluation of {Path(summary['checkpoint']).name}", config, sections)


def _write(path: Path, title: str, config: Config, sections: Sequence[Section]) -> None:
    subtitle = f"{config.model.backbone}, {config.model.class_num} classes, {config.data.dataset_path}"
    write_atomically(path, page(title, subtitle, sections))


def evaluation_sections(result: TaskResult | None) -> list[Section]:
    """Sections of the last evaluation; a single line without one."""
    if result is None:
        return [Section("Evaluation", paragraph("This run was not evaluated."))]
    return result.sections()


def configuration(config: Config) -> str:
    """Table of the changed keys, and all keys in a folded block."""
    defaults = yaml.safe_load(DEFAULTS_FILE.read_text(encoding="utf-8"))
    changed = [(key, value, defaults[key]) for key, value in config.flat().items() if value != defaults[key]]
    return table(changed, ("key", "value", "default")) + folded("all keys", code(config_text(config)))


def _summary(ended: str, records: Sequence[dict[str, Any]], num_epochs: int, score_name: str, title: str) -> str:
    rows = [("ended", ended), ("epochs", f"{len(records)} of {num_epochs}")]
    if records:
        last = records[-1]
        speed = sum(record["fps"] for record in records) / len(records)
        rows += [
            ("optimizer steps", last["step"]),
            ("mean loss of the last epoch", f"{last['mean_loss']:.4f}"),
            ("time in steps", f"{sum(record['epoch_seconds'] for record in records):.1f} s"),
            ("images per second", f"{speed:.1f}"),
            ("steps skipped on overflow", last["skipped"]),
        ]
    evaluated = [record for record in records if score_name in record]
    if evaluated:
        best = max(evaluated, key=lambda record: record[score_name])
        rows += [
            (f"best {title}", f"{best[score_name]:.2%} after epoch {best['epoch']}"),
            (f"last {title}", f"{evaluated[-1][score_name]:.2%} after epoch {evaluated[-1]['epoch']}"),
        ]
    return table(rows)


def _commands(command: Sequence[str], config_file: Path) -> str:
    return (
        paragraph("The command of this run:")
        + code(shlex.join(["python", *command]))
        + paragraph("The same run from the configuration in this folder:")
        + code(shlex.join(["python", "train.py", "--config_path", str(config_file)]))
    )


def _curves(
    records: Sequence[dict[str, Any]], curves: Mapping[str, str], score_name: str, numbers: Iterable[str]
) -> str:
    if not records:
        return paragraph("No epoch was completed.")
    drawn = [{**record, "loss": record["mean_loss"]} for record in records]
    evaluated = [name for name in (score_name, *numbers) if any(name in record for record in records)]
    keys = ("epoch", "step", "mean_loss", "lr", "fps", *evaluated)
    rows = [[_short(record.get(key, "")) for key in keys] for record in records]
    drawing = picture(lambda file: plot_curves(drawn, file, curves, score_name), "curves")
    return drawing + folded("figures", table(rows, keys))


def _short(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
