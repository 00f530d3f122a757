"""Random erasing and mixing of the images of a batch, seeded per batch.

The framework's Python operators draw from global state, so two threads make a run unrepeatable; here all random numbers
of a batch depend on (seed, rank, epoch, batch) only, whichever thread processes it. Erasing precedes mixing because it
belongs to one image: an erased rectangle is mixed or pasted like the rest.
"""

from __future__ import annotations

import numpy as np
from mindspore.dataset import BatchInfo

from src.datasets.transforms.erasing import Erasing
from src.datasets.transforms.mixing import Mixing

# NumPy pads a key with zeros: without this first word, (1, 0) would give the same stream as (1, 0, 0, 0).
BATCH_STREAM = 0xBA7C4


class BatchStep:
    """Erases, then mixes: the function for `batch(per_batch_map=...)`.

    Args:
        erasing, mixing: the operations; None: skipped.
        seed: the run's seed.
        rank: the rank of this process.
        first_epoch: the first epoch of the pipeline.
    """

    def __init__(self, erasing: Erasing | None, mixing: Mixing | None, *, seed: int, rank: int, first_epoch: int):
        self._erasing, self._mixing = erasing, mixing
        self._key, self._first_epoch = (BATCH_STREAM, seed, rank), first_epoch

    def __call__(
        self, images: list[np.ndarray], labels: list[np.ndarray], info: BatchInfo
    ) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """B images (3, H, W) and labels () int32 -> the same, or with targets (class_num,) float32 if mixed."""
        epoch = self._first_epoch + info.get_epoch_num()
        random = np.random.default_rng((*self._key, epoch, info.get_batch_num()))
        if self._erasing is not None:
            self._erasing(images, random)
        if self._mixing is not None:
            labels = list(self._mixing(images, labels, random))
        return images, labels
