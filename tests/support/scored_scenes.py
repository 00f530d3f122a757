"""Truths and predictions for comparing scores: small, drawn from keys, with all that a scorer can trip over."""

from __future__ import annotations

import numpy as np

from src.datasets.sources.cityscapes_classes import CITYSCAPES

NUM_SCENES = 4
TRUCK, TRAIN = 27, 31  # label ids that are in no truth; truck is predicted sometimes, train never


def scored_scene(key: int) -> tuple[np.ndarray, np.ndarray]:
    """(truth, prediction): label ids (48, 96) uint8 and train ids (48, 96) int64.

    The truth has ignored label ids; classes are of very different sizes; scene 3 is mostly road.
    """
    rng = np.random.default_rng((key, 19))
    label_ids = np.arange(34) if key != 3 else np.repeat((7, 8, 0, 26), (40, 4, 4, 2))
    truth = rng.choice(label_ids, (12, 24)).repeat(4, 0).repeat(4, 1).astype(np.uint8)
    truth[np.isin(truth, (TRUCK, TRAIN))] = 4
    train_ids = CITYSCAPES.to_classes(truth).astype(np.int64)
    guesses = rng.choice(
        np.setdiff1d(np.arange(CITYSCAPES.num_classes), CITYSCAPES.label_ids.index(TRAIN)), truth.shape
    )
    is_right = (rng.random(truth.shape) < 0.7) & (train_ids < CITYSCAPES.num_classes)
    return truth, np.where(is_right, train_ids, guesses)
