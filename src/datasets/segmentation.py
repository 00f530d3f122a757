"""From pairs of files to batches of (image, label) for semantic segmentation."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

import mindspore.dataset as ds
import numpy as np

from src.datasets.pipeline import read_batches
from src.datasets.reading import ReadAhead, Source
from src.datasets.sources.cityscapes import ScenePair, open_scene, train_ids_of
from src.datasets.sources.cityscapes_classes import IGNORE_LABEL
from src.datasets.transforms.joint import (
    JointAugmentation,
    Normalization,
    draw_placement,
    place_image,
    place_label,
    whole_image,
)
from src.runtime.device import clamp_workers

# Ignored as a label id (the licence plate's) and as a train id.
PADDING = IGNORE_LABEL


class TrainingScenes(Source):
    """Augmented crops: entry epoch * N + i is pair i as that epoch sees it.

    The random part comes from (seed, epoch, i) alone: neither the number of workers nor ranks, nor where a run was
    resumed, changes a sample.

    Args:
        pairs: the N labelled pairs.
    """

    def __init__(
        self,
        pairs: Sequence[ScenePair],
        augmentation: JointAugmentation,
        normalization: Normalization,
        *,
        seed: int,
    ):
        super().__init__()
        self.pairs = pairs
        self.augmentation, self.normalization = augmentation, normalization
        self.seed = seed

    def entries(self, positions: np.ndarray, epoch: int) -> np.ndarray:
        """The entries of the pairs at `positions` in an epoch."""
        return epoch * len(self.pairs) + positions

    def __getitem__(self, entry: int) -> tuple[np.ndarray, np.ndarray]:
        epoch, index = divmod(entry, len(self.pairs))
        pair, size = self.pairs[index], self.augmentation.input_size
        image, label = open_scene(pair)
        rng = np.random.default_rng((self.seed, epoch, index))
        placement = draw_placement(rng, image.height, image.width, self.augmentation)
        label_ids = place_label(label, placement, size, PADDING)
        train_ids = train_ids_of(label_ids, pair.label).astype(np.int32)
        return place_image(image, placement, size, self.normalization), train_ids

    def place(self, entry: int) -> str:
        return str(self.pairs[entry % len(self.pairs)].image)


def scene_batches(scenes: TrainingScenes, order: Collection[int], batch_size: int, num_workers: int) -> ds.Dataset:
    """Batches (image (B, 3, S, S) float32, label (B, S, S) int32 train ids) of the entries in `order`, in that order.

    At most `num_workers` threads read.
    """
    return scenes.pipeline(order, num_workers).batch(batch_size, drop_remainder=True)


class WholeScenes(Source):
    """Whole images for evaluation: (3, H, W) float32 and (H, W) int32 train ids.

    The label is ignored everywhere where the truth is not public. Sizes may differ.
    """

    def __init__(self, pairs: Sequence[ScenePair], normalization: Normalization):
        super().__init__()
        self.pairs, self.normalization = pairs, normalization

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        pair = self.pairs[index]
        image, label = open_scene(pair)
        pixels = whole_image(image, self.normalization)
        if label is None:
            return pixels, np.full(pixels.shape[1:], IGNORE_LABEL, np.int32)
        return pixels, train_ids_of(np.asarray(label), pair.label).astype(np.int32)

    def place(self, index: int) -> str:
        return str(self.pairs[index].image)


def scene_by_scene(scenes: WholeScenes, num_workers: int, timeout: float) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Batches of one: (image (1, 3, H, W), label (1, H, W)), in order.

    Threads read a few ahead; a framework pipeline would hold some thirty of these 25 MB images.

    Args:
        num_workers, timeout: reading threads, and seconds that an image may take (0: no limit).

    Raises:
        UserError: a file that cannot be used.
    """
    samples = ReadAhead(scenes, range(len(scenes)), clamp_workers(num_workers))
    for image, label in read_batches(lambda: iter(samples), scenes, timeout=timeout):
        yield image[None], label[None]
