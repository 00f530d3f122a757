"""Classes of Cityscapes: 34 label ids in the files, 19 train ids in the network.

Source: M. Cordts et al., "The Cityscapes Dataset for Semantic Urban Scene Understanding", CVPR 2016; ids and colours as
in the data set's own definition of its labels.
"""

from __future__ import annotations

import numpy as np

from src.datasets.sources.label_table import LabelTable

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

NUM_LABEL_IDS = 34
LICENSE_PLATE = 255  # -1 in an 8-bit file
NUM_TRAIN_IDS = len(_TRAINED)
_TRAINED_IDS = tuple(label_id for _, label_id, _ in _TRAINED)

CITYSCAPES = LabelTable(
    names=tuple(name for name, _, _ in _TRAINED),
    palette=tuple(colour for _, _, colour in _TRAINED),
    label_ids=_TRAINED_IDS,
    ignored=(*(value for value in range(NUM_LABEL_IDS) if value not in _TRAINED_IDS), LICENSE_PLATE),
)


def are_train_ids(values: np.ndarray) -> bool:
    """Whether values (H, W) uint8 are train ids, 0-18 and 255 for all others.

    Among label ids 255 is a license plate, which never occurs without a vehicle (26-33).
    """
    if not (values == LICENSE_PLATE).any():
        return False
    counts = np.bincount(values.ravel(), minlength=256)
    return bool(counts[:NUM_TRAIN_IDS].any() and not counts[NUM_TRAIN_IDS:NUM_LABEL_IDS].any())
