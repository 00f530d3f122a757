"""One pass over the validation set."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import mindspore as ms
import numpy as np
from mindspore import nn
from tqdm import tqdm

from src.engine.evaluation_set import EvaluationSet
from src.engine.networks import set_arrays, with_mixed_precision
from src.runtime.distributed import sum_over_ranks
from src.runtime.entry import Session
from src.runtime.terminal import progress_shown


@dataclass(frozen=True)
class Evaluation:
    """A metric's result and what it cost.

    Attributes:
        result: what the metric computed, over all ranks.
        local_counts: what this rank counted: correct in top-1, in top-5, images.
        seconds: the whole pass, the first one with compiling.
        seconds_per_step: median over the batches, data and forward.
        images_per_second: over all ranks, from that median.
    """

    result: Any
    local_counts: tuple[int, int, int]
    seconds: float
    seconds_per_step: float
    images_per_second: float


class Evaluator:
    """Evaluates weights in a network of its own, so that the training graph stays as it is compiled."""

    def __init__(
        self,
        network: nn.Cell,
        evaluation_set: EvaluationSet,
        make_metric: Callable[[], Any],
        session: Session,
        amp_level: str,
    ):
        self._network = network
        self._forward = with_mixed_precision(network, amp_level).set_train(False)
        self._set = evaluation_set
        self._make_metric = make_metric
        self._session = session

    def run(self, weights: Mapping[str, np.ndarray], observe: Callable[..., None] | None = None) -> Evaluation:
        """Evaluate a network's tensors; every sample counts once over all ranks.

        Args:
            observe: shown each batch of this rank: logits, labels, weights.
        """
        set_arrays(self._network, weights)
        metric, seconds = self._make_metric(), []
        began = step_began = time.perf_counter()
        bar = tqdm(
            zip(self._set.batches(), self._set.weights, strict=True),
            total=len(self._set.weights),
            desc="evaluating",
            unit="batch",
            leave=False,
            disable=not (self._session.is_main and progress_shown()),
        )
        for (image, label), counted in bar:
            logits = self._forward(image).astype(ms.float32).asnumpy()
            metric.update(logits, label.asnumpy(), counted)
            if observe is not None:
                observe(logits, label.asnumpy(), counted)
            seconds.append(time.perf_counter() - step_began)
            step_began = time.perf_counter()
        local = metric.compute()
        metric.load_state(sum_over_ranks(metric.state(), self._session.num_ranks))
        per_step = float(np.median(seconds)) if seconds else 0.0
        batch = len(self._set.weights[0]) if seconds else 0
        speed = batch * self._session.num_ranks / per_step if per_step else 0.0
        counts = (local.num_correct, local.num_correct_top5, local.num_images)
        return Evaluation(metric.compute(), counts, time.perf_counter() - began, per_step, speed)
