"""Evaluator of a network on the validation set, and its input and result records."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from mindspore import nn
from tqdm import tqdm

from src.config import UserError
from src.inference.networks import with_mixed_precision
from src.runtime.compile_cache import cached
from src.runtime.distributed import gather_over_ranks
from src.runtime.session import Session
from src.runtime.terminal import progress_shown


@dataclass(frozen=True)
class EvaluationSet:
    """One rank's share of the samples to evaluate on.

    Attributes:
        batches: starts a pass over batches of a fixed size: images (B, 3, H, W) and labels (B, ...).
        weights: for each batch (B,) float, 0 for a sample that pads the batch.
        num_samples: number of samples over all ranks.
        files: image file of each sample in the batches, padding included.
        has_truth: whether the labels are known.
    """

    batches: Callable[[], Iterator]
    weights: Sequence[np.ndarray]
    num_samples: int
    files: Sequence[Path] = ()
    has_truth: bool = True


@dataclass(frozen=True)
class Evaluation:
    """Result of a metric and its cost.

    Attributes:
        result: what the metric's `compute` returned, over all ranks; None without ground truth.
        local_state: the metric's `state` of this rank.
        seconds: duration of the whole pass; the first one includes compilation.
        seconds_per_step: median over the batches, for reading and forward pass.
        images_per_second: over all ranks, without the images that only fill a batch.

    The last two leave out the first batch, which may compile, unless there is no other.
    """

    result: Any
    local_state: np.ndarray
    seconds: float
    seconds_per_step: float
    images_per_second: float


class Evaluator:
    """Evaluates a network, with the weights that it has at the time of `run`.

    Args:
        network: (B, 3, H, W) float32 -> logits; set to inference mode, so training needs a network of its own.
        data: this rank's share of the validation set.
        outputs: (network in inference mode, batch of images) -> the array that the metric counts.
        make_metric: creates an empty metric, see `Task.metric`.

    Attributes:
        network, data: as given.
        forward: the network in inference mode and mixed precision.
    """

    def __init__(
        self,
        network: nn.Cell,
        data: EvaluationSet,
        outputs: Callable[[Callable, Any], np.ndarray],
        make_metric: Callable[[], Any],
        session: Session,
        amp_level: str,
    ):
        self.forward = cached(with_mixed_precision(network, amp_level).set_train(False), session)
        self.network, self.data = network, data
        self._outputs, self._make_metric = outputs, make_metric
        self._session = session

    def run(self, observe: Callable[..., None] | None = None) -> Evaluation:
        """Evaluate the network; each sample counts once over all ranks.

        Args:
            observe: called with each batch of this rank: outputs (B, ...), labels (B, ...), weights (B,).

        Raises:
            UserError: no sample could be counted.
        """
        metric, seconds = self._make_metric(), []
        began = step_began = time.perf_counter()
        bar = tqdm(
            zip(self.data.batches(), self.data.weights, strict=True),
            total=len(self.data.weights),
            desc="evaluating",
            unit="batch",
            leave=False,
            disable=not (self._session.is_main and progress_shown()),
        )
        for (image, label), counted in bar:
            outputs, labels = self._outputs(self.forward, image), np.asarray(label)
            metric.update(outputs, labels, counted)
            if observe is not None:
                observe(outputs, labels, counted)
            seconds.append(time.perf_counter() - step_began)
            step_began = time.perf_counter()
        local_state = metric.state()
        metric.merge(gather_over_ranks(local_state, self._session.rank, self._session.num_ranks))
        steady = slice(1, None) if len(seconds) > 1 else slice(None)
        per_step = float(np.median(seconds[steady])) if seconds else 0.0
        speed = self._speed([weights.sum() for weights in self.data.weights[steady]], seconds[steady])
        try:
            result = metric.compute() if self.data.has_truth else None
        except ValueError as error:  # no sample was counted on any rank
            raise UserError(str(error)) from None
        return Evaluation(result, local_state, time.perf_counter() - began, per_step, speed)

    def _speed(self, images: Sequence[float], seconds: Sequence[float]) -> float:
        """Images per second over all ranks, which work at the same time."""
        mine = np.array([sum(images), round(1e6 * sum(seconds))], np.float64)
        shares = gather_over_ranks(mine, self._session.rank, self._session.num_ranks)
        longest = max(microseconds for _, microseconds in shares) / 1e6
        return float(sum(number for number, _ in shares) / longest) if longest else 0.0
