"""Checkpoint files, written completely or not at all and checked when read, and weights files of other origin."""

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
