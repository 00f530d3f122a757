"""Evaluation while a network trains."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

import numpy as np
from mindspore import nn

from src.config import Config
from src.inference.evaluator import EvaluationSet, Evaluator
from src.inference.networks import build_network, set_arrays
from src.runtime.session import Session
from src.tasks.task import Task, TaskResult


class Validation:
    """Called, it evaluates the weights as they are now and returns the record of the epoch's log.

    The data and a network of their own are made by the first call: many a training is never evaluated.

    Args:
        weights: gives the network's tensors.

    Attributes:
        latest: the result of the last evaluation; None before the first.
    """

    def __init__(self, config: Config, task: Task, session: Session, weights: Callable[[], Mapping[str, np.ndarray]]):
        self._config, self._task, self._session, self._weights = config, task, session, weights
        self.latest: TaskResult | None = None

    def __call__(self) -> dict[str, Any]:
        examples = self._task.examples(self._set)
        set_arrays(self._network, self._weights())
        evaluation = self._evaluator.run(examples)
        self.latest = self._task.summarise(evaluation, examples)
        score = {} if self.latest.score is None else {self._task.score_name: self.latest.score}
        return {**score, **self.latest.numbers, "eval_seconds": evaluation.seconds}

    @cached_property
    def _set(self) -> EvaluationSet:
        return self._task.evaluation_set(self._session)

    @cached_property
    def _network(self) -> nn.Cell:
        return build_network(self._config, self._session, self._task.preprocessing.image_size)

    @cached_property
    def _evaluator(self) -> Evaluator:
        task, level = self._task, self._config.run.amp_level
        return Evaluator(self._network, self._set, task.outputs, task.metric, self._session, level)
