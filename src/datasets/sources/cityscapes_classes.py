"""The classes of Cityscapes: 34 label ids in the files, 19 train ids in the network.

Source: M. Cordts et al., "The Cityscapes Dataset for Semantic Urban Scene Understanding", CVPR 2016; ids and colours as
in the data set's own definition of its labels.
"""

from __future__ import annotations

import numpy as np

IGNORE_LABEL = 255

# (name, label id, colour) in the order of the train ids
_TRAINED = (
    ("road", 7, (128, 64, 128)),
    ("sidewalk", 8, (244, 35, 232)),
    ("building", 11, (70, 70, 70)),
    ("wall", 12, (102, 102, 156)),
    ("fence", 13, (190, 153, 153)),
    ("pole", 17, (153, 153, 153)),
    ("traffic light", 19, (250, 170, 30)),
    ("traffic sign", 20, (220, 220, 0)),
    ("vegetation", 21, (107, 142, 35)),
    ("terrain", 22, (152, 251, 152)),
    ("sky", 23, (70, 130, 180)),
    ("person", 24, (220, 20, 60)),
    ("rider", 25, (255, 0, 0)),
    ("car", 26, (0, 0, 142)),
    ("truck", 27, (0, 0, 70)),
    ("bus", 28, (0, 60, 100)),
    ("train", 31, (0, 80, 100)),
    ("motorcycle", 32, (0, 0, 230)),
    ("bicycle", 33, (119, 11, 32)),
)

NUM_CLASSES = len(_TRAINED)
CLASS_NAMES = tuple(name for name, _, _ in _TRAINED)
LABEL_IDS = tuple(label_id for _, label_id, _ in _TRAINED)
PALETTE = tuple(colour for _, _, colour in _TRAINED)  # RGB, 0-255

NUM_LABEL_IDS = 34
LICENSE_PLATE = 255  # -1 in an 8-bit file
_UNKNOWN = 254  # no train id: what a table says of a value that is no label id


def to_train_ids(label_ids: np.ndarray) -> np.ndarray:
    """Label ids of any shape, uint8 -> train ids 0-18 of the same shape, uint8; IGNORE_LABEL where none is trained.

    Raises:
        ValueError: a value is neither 0-33 nor the licence plate's.
    """
    train_ids = _train_id_table().take(label_ids)
    if (train_ids == _UNKNOWN).any():
        value = int(label_ids[train_ids == _UNKNOWN].flat[0])
        raise ValueError(
            f"value {value} is no label id (0-{NUM_LABEL_IDS - 1}, or {LICENSE_PLATE} for a licence plate)"
        )
    return train_ids


def to_label_ids(train_ids: np.ndarray) -> np.ndarray:
    """Train ids 0-18 of any shape -> label ids of the same shape, uint8: what the data set's scorers read."""
    return np.asarray(LABEL_IDS, np.uint8)[train_ids]


def _train_id_table() -> np.ndarray:
    table = np.full(256, _UNKNOWN, np.uint8)
    table[:NUM_LABEL_IDS] = IGNORE_LABEL
    table[LICENSE_PLATE] = IGNORE_LABEL
    table[list(LABEL_IDS)] = np.arange(NUM_CLASSES)
    return table
