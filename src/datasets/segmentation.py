"""Sources and batches of (image, label) for semantic segmentation, from pairs of files."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

import mindspore.dataset as ds
import numpy as np

from src.datasets.pipeline import read_batches
from src.datasets.reading import ReadAhead, Source
from src.datasets.sources.label_table import IGNORED
from src.datasets.sources.scene_pairs import LabelFiles, ScenePair, classes_of, open_pair
from src.datasets.transforms.joint import (
    JointAugmentation,
    Normalization,
    draw_placement,
    place_image,
    place_label,
    whole_image,
)
from src.runtime.device import clamp_workers


class TrainingScenes(Source):
    """Augmented crops, (3, S, S) float32 and (S, S) int32 classes: entry epoch * N + i is pair i as seen in that epoch.

    Randomness depends on (seed, epoch, i) only: the number of workers, the number of ranks and the point of resumption
    do not change a sample.

    Args:
        pairs: the N labelled pairs.
        labels: the kind of their label files.
    """

    def __init__(
        self,
        pairs: Sequence[ScenePair],
        labels: LabelFiles,
        augmentation: JointAugmentation,
        normalization: Normalization,
        *,
        seed: int,
    ):
        super().__init__()
        self.pairs, self.labels = pairs, labels
        self.augmentation, self.normalization = augmentation, normalization
        self.seed = seed

    def entries(self, positions: np.ndarray, epoch: int) -> np.ndarray:
        """The entries of the pairs at `positions` in an epoch."""
        return epoch * len(self.pairs) + positions

    def __getitem__(self, entry: int) -> tuple[np.ndarray, np.ndarray]:
        epoch, index = divmod(entry, len(self.pairs))
        pair, size = self.pairs[index], self.augmentation.input_size
        image, label = open_pair(pair, self.labels)
        rng = np.random.default_rng((self.seed, epoch, index))
        placement = draw_placement(rng, image.height, image.width, self.augmentation)
        values = place_label(label, placement, size, self.labels.table.padding)
        classes = classes_of(values, pair.label, self.labels).astype(np.int32)
        return place_image(image, placement, size, self.normalization), classes

    def place(self, entry: int) -> str:
        return str(self.pairs[entry % len(self.pairs)].image)


def scene_batches(scenes: TrainingScenes, order: Collection[int], batch_size: int, num_workers: int) -> ds.Dataset:
    """Batches (image (B, 3, S, S) float32, label (B, S, S) int32 classes) of the entries in `order`, in that order.

    At most `num_workers` threads read.
    """
    return scenes.pipeline(order, num_workers).batch(batch_size, drop_remainder=True)


class WholeScenes(Source):
    """Whole images for evaluation: (3, H, W) float32 and (H, W) int32 classes.

    Images whose truth is not public have only ignored pixels. Sizes may differ.
    """

    def __init__(self, pairs: Sequence[ScenePair], labels: LabelFiles, normalization: Normalization):
        super().__init__()
        self.pairs, self.labels, self.normalization = pairs, labels, normalization

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        pair = self.pairs[index]
        image, label = open_pair(pair, self.labels)
        pixels = whole_image(image, self.normalization)
        if label is None:
            return pixels, np.full(pixels.shape[1:], IGNORED, np.int32)
        return pixels, classes_of(label, pair.label, self.labels).astype(np.int32)

    def place(self, index: int) -> str:
        return str(self.pairs[index].image)


def scene_by_scene(scenes: WholeScenes, num_workers: int, timeout: float) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Batches of one: (image (1, 3, H, W), label (1, H, W)), in order.

    Threads read a few images ahead; a framework pipeline would hold about thirty of these 25 MB images.

    Args:
        num_workers: reading threads.
        timeout: longest time to wait for an image, seconds; 0: no limit.

    Raises:
        UserError: a file that cannot be used.
    """
    samples = ReadAhead(scenes, range(len(scenes)), clamp_workers(num_workers))
    for image, label in read_batches(lambda: iter(samples), scenes, timeout=timeout):
        yield image[None], label[None]
