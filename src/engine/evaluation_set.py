"""What an evaluator iterates."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class EvaluationSet:
    """One rank's share of the samples to evaluate on.

    Attributes:
        batches: starts a pass over (image, label) batches of one static size.
        weights: per batch (B,), 0 where a sample only fills up the batch.
        num_samples: samples over all ranks.
        files: per sample of the batches its image file.
    """

    batches: Callable[[], Iterator]
    weights: Sequence[np.ndarray]
    num_samples: int
    files: Sequence[Path] = ()
