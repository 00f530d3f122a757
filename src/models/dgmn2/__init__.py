"""DGMN2, a network whose nodes attend to a few dynamically sampled places."""

from .network import build
from .variants import CARDS, PAPER

__all__ = ["CARDS", "PAPER", "build"]
