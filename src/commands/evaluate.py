"""Evaluation command: a checkpoint on the validation data, with result files and report."""

from __future__ import annotations

import json
import sys

from src.commands.opened_checkpoint import OpenedCheckpoint
from src.config import Resolved
from src.inference.evaluator import Evaluator
from src.runtime.files import final_path, write_atomically
from src.runtime.logs import get_logger
from src.runtime.modelarts import results_uploaded
from src.runtime.run_folder import fresh_results
from src.runtime.session import Session, start
from src.tasks.task import TaskResult
from src.training.report import environment_facts, evaluation_report


def evaluate(resolved: Resolved) -> int:
    """Evaluate `pretrained` on the validation data; returns the exit code.

    Raises:
        UserError: the checkpoint or the validation data are missing or do not fit.
    """
    opened = OpenedCheckpoint.from_config(resolved)
    opened.task.check_validation()
    session = start(opened.config, opened.notes)
    with results_uploaded(opened.config.cloud, session):
        _evaluate(opened, session)
    return 0


def _evaluate(opened: OpenedCheckpoint, session: Session) -> None:
    task, config, logger = opened.task, opened.config, get_logger()
    data = task.evaluation_set(session)
    examples = task.examples(data)
    network = opened.network(session)
    logger.info("load model %s success", opened.checkpoint.path)
    logger.info("evaluating on %s", task.evaluation_note)
    evaluator = Evaluator(network, data, task.outputs, task.metric, session, config.run.amp_level)
    evaluation = evaluator.run(examples)
    result = task.summarise(evaluation, examples)
    if session.is_main:
        for line in result.lines:
            logger.info(line)
        if result.summary:
            _write(opened, result, session)


def _write(opened: OpenedCheckpoint, result: TaskResult, session: Session) -> None:
    """Write the task's files, result.json and the report."""
    summary = {"checkpoint": str(opened.checkpoint.path), **result.summary}
    with fresh_results(opened.evaluation_folder) as folder:
        names = result.write(folder)
        write_atomically(folder / "result.json", json.dumps(summary, indent=2))
        if opened.config.run.report:
            evaluation_report(
                folder / "report.html",
                checkpoint=opened.checkpoint.path,
                data=opened.task.evaluation_note,
                config=opened.config,
                command=sys.argv,
                result=result,
                environment=environment_facts(opened.config, session),
            )
            names.append("report.html")
    for name in names:
        get_logger().info("see %s", final_path(folder / name))
