"""Sample order per epoch and rank, as pure functions of (seed, epoch, rank)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


def training_positions(
    num_samples: int, *, seed: int, epoch: int, rank: int, num_ranks: int, batch_size: int, num_repeats: int = 1
) -> np.ndarray:
    """Sample indices that `rank` sees in `epoch`, in order.

    One permutation from (seed, epoch) serves all ranks; rank r takes its positions r::num_ranks, so the ranks' batches
    of a step together equal a single process's batch of num_ranks * batch_size. Samples that do not fill a step of all
    ranks are left out of this epoch.

    Each sample is repeated `num_repeats` times in a row, spread over the ranks; an epoch keeps its length and covers
    `num_repeats` times fewer distinct samples: repeated augmentation (Hoffer et al., arXiv 1901.09335; Berman et al.,
    1902.05509).
    """
    order = np.random.default_rng((seed, epoch)).permutation(num_samples)
    used = steps_per_epoch(num_samples, num_ranks, batch_size) * num_ranks * batch_size
    return np.repeat(order, num_repeats)[:used][rank::num_ranks]


def steps_per_epoch(num_samples: int, num_ranks: int, batch_size: int) -> int:
    """Full steps in one pass over the samples."""
    return num_samples // (num_ranks * batch_size)


@dataclass(frozen=True)
class EvaluationOrder:
    """Sample indices of a rank, padded to whole batches: positions (N,) int, weights (N,) float32, 0 for padding."""

    positions: np.ndarray
    weights: np.ndarray


def evaluation_positions(num_samples: int, *, rank: int, num_ranks: int, batch_size: int) -> EvaluationOrder:
    """Every sample exactly once over all ranks, in batches of one static size.

    A short last batch would be compiled as a second graph, so it is padded with repeated samples of weight 0. A rank
    without samples gets one batch of padding: an empty pipeline crashes the framework.
    """
    own = np.arange(num_samples)[rank::num_ranks]
    num_batches = max(1, -(-len(own) // batch_size))
    filled = np.resize(own if len(own) else np.arange(1), num_batches * batch_size)
    weights = (np.arange(len(filled)) < len(own)).astype(np.float32)
    return EvaluationOrder(filled, weights)
