"""Epoch log: the seeds' log lines, metrics.jsonl and the curves."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mindspore.train import Callback

from src.callbacks.order import Stage
from src.callbacks.progress import Progress
from src.config import UserError
from src.runtime.files import write_atomically

REQUIRED = {"epoch", "step", "loss", "mean_loss", "lr", "fps", "epoch_seconds", "skipped"}


def epoch_line(record: dict[str, Any], score: float | None) -> str:
    """`epoch[1], epoch time: 3247.40s, per step time: 1.2979s, loss=6.397223, lr=0.000120, fps=394.48, ...`"""
    line = (
        f"epoch[{record['epoch']}], epoch time: {record['epoch_seconds']:.2f}s, "
        f"per step time: {record['step_seconds']:.4f}s, loss={record['loss']:.6f}, lr={record['lr']:.6f}, "
        f"fps={record['fps']:.2f}"
    )
    if score is not None:  # the seeds' name for every score
        line += f", accuracy={score:.6f}, eval_cost={record['eval_seconds']:.2f}"
    return line


def read_records(path: Path, score_name: str, num_epochs: int | None = None) -> list[dict[str, Any]]:
    """The records of metrics.jsonl up to epoch `num_epochs`; a half-written last line is ignored.

    Older files call every score accuracy; it is renamed to `score_name`.

    Raises:
        UserError: a line is damaged.
    """
    lines = path.read_bytes().splitlines() if path.exists() else []
    records = []
    for number, line in enumerate(lines, start=1):
        try:
            records.append(_record(line, score_name))
        except (ValueError, RecursionError):
            if number == len(lines):
                break
            raise UserError(f"{path}:{number}: damaged, no record of an epoch: mend or remove this file") from None
    return [record for record in records if num_epochs is None or record["epoch"] <= num_epochs]


def _record(line: bytes, score_name: str) -> dict[str, Any]:
    """The record of a line; ValueError if it is none."""
    record = json.loads(line)
    if not isinstance(record, dict) or not isinstance(record.get("epoch"), int):
        raise ValueError
    if not all(isinstance(value, float | int) for value in record.values()) or not record.keys() >= REQUIRED:
        raise ValueError
    return {score_name if key == "accuracy" else key: value for key, value in record.items()}


class LogEpochs(Callback):
    """After each epoch: log lines, a record in metrics.jsonl, redrawn curves. After the last epoch: a summary.

    Args:
        learning_rate: the learning rate of the last completed step.
        num_skipped: steps skipped on overflow since training began.
        metrics: path of metrics.jsonl; records after the resumed epoch are removed at the start.
        plot: draws the records.
        norms: {name: norm} of the last step; empty when norms are not logged.
    """

    stage = Stage.LOG

    def __init__(
        self,
        progress: Progress,
        logger: logging.Logger,
        learning_rate: Callable[[], float],
        num_skipped: Callable[[], int],
        metrics: Path,
        plot: Callable[[list[dict[str, Any]]], None],
        norms: Callable[[], dict[str, float]] = dict,
    ):
        super().__init__()
        self._progress, self._logger = progress, logger
        self._learning_rate, self._num_skipped = learning_rate, num_skipped
        self._metrics, self._plot, self._norms = metrics, plot, norms
        self._began = time.perf_counter()
        self._records = read_records(metrics, progress.score_name, progress.epoch)
        text = "".join(json.dumps(record) + "\n" for record in self._records)
        write_atomically(metrics, text)

    def on_train_epoch_end(self, run_context) -> None:
        progress = self._progress
        if not progress.at_epoch_end:
            return
        record = self._record()
        self._records.append(record)
        self._logger.info("epoch[%d], step_num[%d], loss=%.6f", record["epoch"], record["step"], record["loss"])
        self._logger.info(epoch_line(record, progress.score))
        norms = [f"{name}={value:.6g}" for name, value in record.items() if name.endswith("_norm")]
        if norms:
            self._logger.info("norms: %s", ", ".join(norms))
        if record["skipped"]:
            self._logger.info("steps skipped on overflow so far: %d", record["skipped"])
        with self._metrics.open("a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")
        self._plot(self._records)

    def on_train_end(self, run_context) -> None:
        if self._progress.interrupted:
            return
        self._logger.info("training time used=%.2fs", time.perf_counter() - self._began)
        name = self._progress.score_name
        evaluated = [record[name] for record in self._records if name in record]
        if evaluated:
            self._logger.info("last_metric[%.5f]", evaluated[-1])
        speeds = [record["fps"] for record in self._records] or [self._progress.images_per_second]
        self._logger.info("ip[None], mean_fps[%.2f]", sum(speeds) / len(speeds))

    def _record(self) -> dict[str, Any]:
        progress = self._progress
        return {
            "epoch": progress.epoch,
            "step": progress.step,
            "loss": progress.loss,
            "mean_loss": progress.mean_loss,
            "lr": self._learning_rate(),
            "fps": progress.images_per_second,
            "epoch_seconds": progress.epoch_seconds,
            "step_seconds": progress.step_seconds,
            "skipped": self._num_skipped(),
            **self._norms(),
            **progress.evaluation,
        }
