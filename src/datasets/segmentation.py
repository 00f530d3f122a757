"""From pairs of files to batches of (image, label) for semantic segmentation."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import mindspore.dataset as ds
import numpy as np

from src.config import UserError
from src.datasets.joint_transforms import (
    JointAugmentation,
    Normalization,
    draw_placement,
    place_image,
    place_label,
    whole_image,
)
from src.datasets.sources.cityscapes import ScenePair, open_scene, train_ids_of
from src.datasets.sources.cityscapes_classes import IGNORE_LABEL

# Ignored as a label id (the licence plate's) and as a train id.
PADDING = IGNORE_LABEL


class TrainingScenes:
    """Augmented crops: entry epoch * N + i is pair i as that epoch sees it.

    The random part comes from (seed, epoch, i) alone: neither the number of workers nor ranks, nor where a run was
    resumed, changes a sample.

    Args:
        pairs: the N labelled pairs.
        num_epochs: epochs of the run; there are N * num_epochs entries.
    """

    def __init__(
        self,
        pairs: Sequence[ScenePair],
        augmentation: JointAugmentation,
        normalization: Normalization,
        *,
        seed: int,
        num_epochs: int,
    ):
        self.pairs = pairs
        self.augmentation, self.normalization = augmentation, normalization
        self.seed, self.num_epochs = seed, num_epochs
        self.failure: UserError | None = None  # the framework itself passes on a text only

    def __len__(self) -> int:
        return self.num_epochs * len(self.pairs)

    def entries(self, positions: np.ndarray, epoch: int) -> np.ndarray:
        """The entries of the pairs at `positions` in an epoch."""
        return epoch * len(self.pairs) + positions

    def pipeline(self, order: np.ndarray | ds.Sampler, num_workers: int) -> ds.Dataset:
        """Rows (image, label) in `order`; the threads' decoding and arithmetic release Python's lock."""
        sampler = order if isinstance(order, ds.Sampler) else ds.SubsetSampler(order.tolist())
        return ds.GeneratorDataset(
            self, ["image", "label"], sampler=sampler, num_parallel_workers=num_workers, python_multiprocessing=False
        )

    def find_undecodable(self) -> bool:
        """Never: a file that cannot be used has been named by `failure`."""
        return False

    def __getitem__(self, entry: int) -> tuple[np.ndarray, np.ndarray]:
        try:
            return self._sample(int(entry))
        except UserError as mistake:
            self.failure = mistake
            raise

    def _sample(self, entry: int) -> tuple[np.ndarray, np.ndarray]:
        epoch, index = divmod(entry, len(self.pairs))
        pair, size = self.pairs[index], self.augmentation.input_size
        image, label = open_scene(pair)
        rng = np.random.default_rng((self.seed, epoch, index))
        placement = draw_placement(rng, image.height, image.width, self.augmentation)
        label_ids = place_label(label, placement, size, PADDING)
        train_ids = train_ids_of(label_ids, pair.label).astype(np.int32)
        return place_image(image, placement, size, self.normalization), train_ids


def scene_batches(
    scenes: TrainingScenes, order: np.ndarray | ds.Sampler, batch_size: int, num_workers: int
) -> ds.Dataset:
    """Batches (image (B, 3, S, S) float32, label (B, S, S) int32 train ids) of the entries in `order`, in that order.

    Args:
        order: entries, or a sampler that yields them.
        num_workers: reading threads.
    """
    return scenes.pipeline(order, num_workers).batch(batch_size, drop_remainder=True)


def whole_scenes(
    pairs: Iterable[ScenePair], normalization: Normalization, num_workers: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Whole images for evaluation, in order: (image (3, H, W) float32, label (H, W) int32 train ids).

    The label is ignored everywhere where the truth is not public. Sizes may differ. Threads read `num_workers` pairs
    ahead; a framework pipeline would hold some thirty of these 25 MB images.

    Raises:
        UserError: a file that cannot be used.
    """
    ahead: deque = deque()
    with ThreadPoolExecutor(num_workers) as pool:
        for pair in pairs:
            ahead.append(pool.submit(_whole_scene, pair, normalization))
            if len(ahead) > num_workers:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()


def _whole_scene(pair: ScenePair, normalization: Normalization) -> tuple[np.ndarray, np.ndarray]:
    image, label = open_scene(pair)
    pixels = whole_image(image, normalization)
    if label is None:
        return pixels, np.full(pixels.shape[1:], IGNORE_LABEL, np.int32)
    return pixels, train_ids_of(np.asarray(label), pair.label).astype(np.int32)
