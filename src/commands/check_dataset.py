"""`train.py --check_dataset 1`: what is in the data, and what is wrong with it."""

from __future__ import annotations

from src.config import Resolved, UserError
from src.tasks.create import create_task


def check_dataset(resolved: Resolved) -> int:
    """Print a report on the training and the validation images; 0 when a training could run.

    Raises:
        UserError: it could not, with the first reason; the report has the others.
    """
    task = create_task(resolved.config, given=resolved.given)
    problems = task.inspect()
    for problem in problems[1:]:
        print(f"another problem: {problem}")
    if problems:
        raise UserError(problems[0])
    print("No problem: a training can run.")
    return 0
