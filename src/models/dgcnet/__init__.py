"""DGCNet."""

from .network import build
from .variants import CARDS, PAPER

__all__ = ["CARDS", "PAPER", "build"]
