"""The checkpoint file: written complete or not at all, checked when read."""

from src.checkpoints.foreign import ForeignWeights, read_foreign_weights
from src.checkpoints.load import fit_image_size, load_checkpoint, load_weights
from src.checkpoints.store import Checkpoint, save_checkpoint

__all__ = [
    "Checkpoint",
    "ForeignWeights",
    "fit_image_size",
    "load_checkpoint",
    "load_weights",
    "read_foreign_weights",
    "save_checkpoint",
]
