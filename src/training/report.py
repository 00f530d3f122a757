"""HTML reports of a training and of an evaluation, each a single self-contained page."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from src.config import Config, config_text
from src.config.reader import DEFAULTS_FILE
from src.runtime.code_version import code_version
from src.runtime.files import write_atomically
from src.runtime.session import Session
from src.tasks.task import TaskResult
from src.training.state import environment
from src.visualization import plot_curves
from src.visualization.page import (
    Section,
    code,
    folded,
    halved_table,
    headline,
    page,
    paragraph,
    picture,
    side_by_side,
    table,
)

# The names in the report of what a checkpoint records in short words.
ENVIRONMENT_NAMES = {
    "isa": "limit of the CPU kernels",
    "cores": "processor cores",
    "workers": "reading threads",
    "ranks": "processes",
    "mindspore": "MindSpore",
    "python": "Python",
}

# Of the columns of metrics.jsonl that the report shows.
FIGURE_NAMES = {
    "mean_loss": "mean loss",
    "lr": "learning rate",
    "fps": "images per second",
    "eval_loss": "evaluation loss",
}


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
    num_epochs: int,
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
        num_epochs: epochs of the whole run.
        result: result of the last evaluation; None without one.
        environment: see `environment_facts`.
    """
    facts = _training_facts(ended, records, num_epochs)
    sections = [
        Section("Summary", _summary(_best(records, score_name, curves[score_name]), facts, environment)),
        Section("Command", _commands(command, path.parent / "config.yml")),
        Section("Curves", _curves(records, curves, score_name, result.numbers if result else {})),
        *evaluation_sections(result),
        Section("Configuration", configuration(config)),
    ]
    _write(path, f"Training {name}", config, sections)


def evaluation_report(
    path: Path,
    *,
    checkpoint: Path,
    data: str,
    config: Config,
    command: Sequence[str],
    result: TaskResult,
    environment: Mapping[str, Any],
) -> None:
    """Write the report of an evaluation.

    Args:
        data: description of the validation data.
        command: command line of the evaluation, without the interpreter.
        environment: see `environment_facts`.
    """
    facts = [*result.facts, ("checkpoint", str(checkpoint)), ("data", data)]
    sections = [
        Section("Summary", _summary(result.headline, facts, environment)),
        Section("Command", code(shlex.join(["python", *command]))),
        *evaluation_sections(result),
        Section("Configuration", configuration(config)),
    ]
    _write(path, f"Evaluation of {checkpoint.name}", config, sections)


def environment_facts(config: Config, session: Session) -> dict[str, Any]:
    """{name: value} of the facts besides the configuration on which a result depends, and of the present time."""
    facts = {ENVIRONMENT_NAMES.get(name, name): value for name, value in environment(config, session).items()}
    now = datetime.now().astimezone().strftime("%Y-%m-%d %H:%M:%S %z")
    return {"date": now, "version of the code": code_version(), "device": session.device, **facts}


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
    return halved_table(changed, ("key", "value", "default")) + folded("all keys", code(config_text(config)))


def _summary(first: str, facts: Iterable[Sequence[Any]], environment: Mapping[str, Any]) -> str:
    return (headline(first) if first else "") + side_by_side(table(facts), table(environment.items()))


def _best(records: Sequence[dict[str, Any]], score_name: str, title: str) -> str:
    """The best score of a training in words, "" if it was not evaluated."""
    evaluated = [record for record in records if score_name in record]
    best = max(evaluated, key=lambda record: record[score_name], default=None)
    if best is None:
        return ""
    last = "" if best is evaluated[-1] else f", {evaluated[-1][score_name]:.2%} after epoch {evaluated[-1]['epoch']}"
    return f"{best[score_name]:.2%} {title} after epoch {best['epoch']}{last}"


def _training_facts(ended: str, records: Sequence[dict[str, Any]], num_epochs: int) -> list[tuple[str, Any]]:
    rows = [("ended", ended), ("epochs", f"{len(records)} of {num_epochs}")]
    if records:
        last = records[-1]
        speed = sum(record["fps"] for record in records) / len(records)
        rows += [
            ("optimizer steps", last["step"]),
            ("mean loss of the last epoch", f"{last['mean_loss']:.4f}"),
            ("time in steps", f"{sum(record['epoch_seconds'] for record in records):.1f} s"),
            ("speed", f"{speed:.1f} images per second"),
            ("steps skipped on overflow", last["skipped"]),
        ]
    return rows


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
    names = FIGURE_NAMES | {key: f"{name} (0-1)" for key, name in curves.items()}
    return drawing + folded("figures", table(rows, [names.get(key, key) for key in keys]))


def _short(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
