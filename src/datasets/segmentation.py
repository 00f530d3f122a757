"""Sources and batches of (image, label) for semantic segmentation, from pairs of files."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import mindspore.dataset as ds
import numpy as np

from src.config import UserError
from src.datasets.decoding import Unreadable
from src.datasets.pipeline import read_batches
from src.datasets.reading import FileSource, ReadAhead, Sample, counted_as_wrong, first_readable, replaced
from src.datasets.sources.label_table import IGNORED
from src.datasets.sources.scene_pairs import LabelFiles, ScenePair, classes_of, read_label, read_pair
from src.datasets.transforms.joint import (
    JointAugmentation,
    Normalization,
    draw_placement,
    place_image,
    place_label,
    whole_image,
)
from src.runtime.device import clamp_workers


class TrainingScenes(FileSource):
    """Augmented crops, (3, S, S) float32 and (S, S) int32 classes: entry epoch * N + i is pair i as seen in that epoch.

    Randomness depends on (seed, epoch, i) only: the number of workers, the number of ranks and the point of resumption
    do not change a sample. A pair that cannot be read is replaced by another one, drawn from (seed, i).

    Args:
        pairs: the N labelled pairs.
        labels: the kind of their label files.
        max_bad_images: largest tolerated share of unreadable files, 0-1.
    """

    def __init__(
        self,
        pairs: Sequence[ScenePair],
        labels: LabelFiles,
        augmentation: JointAugmentation,
        normalization: Normalization,
        *,
        seed: int,
        max_bad_images: float = 0.0,
    ):
        super().__init__()
        self.pairs, self.labels = pairs, labels
        self.augmentation, self.normalization = augmentation, normalization
        self.seed, self._max_bad_images = seed, max_bad_images

    def entries(self, positions: np.ndarray, epoch: int) -> np.ndarray:
        """The entries of the pairs at `positions` in an epoch."""
        return epoch * len(self.pairs) + positions

    def files_of(self, entry: int) -> tuple[Path, ...]:
        return self.pairs[entry % len(self.pairs)].files

    def load(self, entry: int) -> Sample:
        epoch, index = divmod(entry, len(self.pairs))
        pair, size = self.pairs[index], self.augmentation.input_size
        image, label = read_pair(pair, self.labels)
        rng = np.random.default_rng((self.seed, epoch, index))
        placement = draw_placement(rng, *image.shape[:2], self.augmentation)
        values = place_label(label, placement, size, self.labels.table.padding)
        classes = classes_of(values, pair.label, self.labels).astype(np.int32)
        return place_image(image, placement, size, self.normalization), classes

    def instead_of(self, entry: int) -> Sample:
        epoch, index = divmod(entry, len(self.pairs))
        sample = first_readable(self, self.entries(np.arange(len(self.pairs)), epoch), (self.seed, index))
        if sample is None:
            raise UserError(f"{self.place(entry)}: none of the {len(self.pairs)} training images can be read")
        return sample

    def add_fault(self, path: Path, fault: str) -> None:
        super().add_fault(path, fault)
        replaced(self.faults, len(self.pairs), self._max_bad_images, "another pair of image and label")


def scene_batches(scenes: TrainingScenes, order: Collection[int], batch_size: int, num_workers: int) -> ds.Dataset:
    """Batches (image (B, 3, S, S) float32, label (B, S, S) int32 classes) of the entries in `order`, in that order.

    At most `num_workers` threads read.
    """
    return scenes.pipeline(order, num_workers).batch(batch_size, drop_remainder=True)


class WholeScenes(FileSource):
    """Whole images for evaluation: (3, H, W) float32 and (H, W) int32 classes.

    Images whose truth is not public have only ignored pixels. Sizes may differ. All pixels of an image that cannot be
    read count as wrong: label -1 - their class. Where the label cannot be read, there is nothing to count.
    """

    def __init__(self, pairs: Sequence[ScenePair], labels: LabelFiles, normalization: Normalization):
        super().__init__()
        self.pairs, self.labels, self.normalization = pairs, labels, normalization

    def __len__(self) -> int:
        return len(self.pairs)

    def files_of(self, index: int) -> tuple[Path, ...]:
        return self.pairs[index].files

    def load(self, index: int) -> Sample:
        pair = self.pairs[index]
        image, label = read_pair(pair, self.labels)
        pixels = whole_image(image, self.normalization)
        if label is None:
            return pixels, np.full(pixels.shape[1:], IGNORED, np.int32)
        return pixels, classes_of(label, pair.label, self.labels).astype(np.int32)

    def instead_of(self, index: int) -> Sample:
        classes = self._known_classes(self.pairs[index].label)
        wrong = np.where(classes == IGNORED, IGNORED, -1 - classes)
        return np.zeros((3, *classes.shape), np.float32), wrong

    def _known_classes(self, label: Path | None) -> np.ndarray:
        try:
            if label is not None:
                return classes_of(read_label(label, self.labels), label, self.labels).astype(np.int32)
        except Unreadable:
            pass
        return np.full((1, 1), IGNORED, np.int32)

    def add_fault(self, path: Path, fault: str) -> None:
        super().add_fault(path, fault)
        counted_as_wrong(self.faults)


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
