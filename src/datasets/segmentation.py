"""From pairs of files to batches of (image, label) for semantic segmentation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

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


class _Scenes:
    """Random access to samples; `mistake` is what a file that cannot be used was found to be."""

    def __init__(self, pairs: Sequence[ScenePair]):
        self.pairs = pairs
        self.mistake: UserError | None = None

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, entry: int) -> tuple[np.ndarray, np.ndarray]:
        try:
            return self._sample(int(entry))
        except UserError as mistake:
            self.mistake = mistake
            raise


class TrainingScenes(_Scenes):
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
        super().__init__(pairs)
        self.augmentation, self.normalization = augmentation, normalization
        self.seed, self.num_epochs = seed, num_epochs

    def __len__(self) -> int:
        return self.num_epochs * len(self.pairs)

    def entries(self, positions: np.ndarray, epoch: int) -> np.ndarray:
        """The entries of the pairs at `positions` in an epoch."""
        return epoch * len(self.pairs) + positions

    def _sample(self, entry: int) -> tuple[np.ndarray, np.ndarray]:
        epoch, index = divmod(entry, len(self.pairs))
        pair, size = self.pairs[index], self.augmentation.input_size
        image, label = open_scene(pair)
        rng = np.random.default_rng((self.seed, epoch, index))
        placement = draw_placement(rng, image.height, image.width, self.augmentation)
        label_ids = place_label(label, placement, size, PADDING)
        train_ids = train_ids_of(label_ids, pair.label).astype(np.int32)
        return place_image(image, placement, size, self.normalization), train_ids


class EvaluationScenes(_Scenes):
    """Whole images with their labels; all ignored where the truth is not public."""

    def __init__(self, pairs: Sequence[ScenePair], normalization: Normalization):
        super().__init__(pairs)
        self.normalization = normalization

    def _sample(self, entry: int) -> tuple[np.ndarray, np.ndarray]:
        pair = self.pairs[entry]
        image, label = open_scene(pair)
        pixels = whole_image(image, self.normalization)
        if label is None:
            return pixels, np.full(pixels.shape[1:], IGNORE_LABEL, np.int32)
        return pixels, train_ids_of(np.asarray(label), pair.label).astype(np.int32)


def scene_batches(
    scenes: TrainingScenes | EvaluationScenes, order: np.ndarray | ds.Sampler, batch_size: int, num_workers: int
) -> ds.Dataset:
    """Batches (image (B, 3, H, W) float32, label (B, H, W) int32 train ids) of the entries in `order`.

    The reading threads keep the order. Images of one batch must be of one size.
    """
    sampler = order if isinstance(order, ds.Sampler) else ds.SubsetSampler(order.tolist())
    pipeline = ds.GeneratorDataset(
        scenes, ["image", "label"], sampler=sampler, num_parallel_workers=num_workers, python_multiprocessing=False
    )
    return pipeline.batch(batch_size, drop_remainder=True)


def checked_scenes(batches: Iterator, scenes: TrainingScenes | EvaluationScenes) -> Iterator:
    """The batches; a file that cannot be used ends them with the UserError that names it."""
    try:
        yield from batches
    except RuntimeError:
        # The framework turns what a source raises into a RuntimeError with a trace.
        if scenes.mistake is None:
            raise
        raise scenes.mistake from None
