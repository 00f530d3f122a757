"""The checkpoint file: written complete or not at all, checked when read."""

from src.checkpoints.load import load_checkpoint, load_weights
from src.checkpoints.store import Checkpoint, save_checkpoint

__all__ = ["Checkpoint", "load_checkpoint", "load_weights", "save_checkpoint"]
