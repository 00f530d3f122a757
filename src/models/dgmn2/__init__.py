"""DGMN2, a network whose nodes attend to a few dynamically sampled places."""

from ..family import Family
from .names import NAMES
from .network import build
from .variants import CARDS, PAPER

FAMILY = Family(paper=PAPER, cards=CARDS, build=build, blocks=r"block\d+\.\d+", names=NAMES)

__all__ = ["FAMILY"]
