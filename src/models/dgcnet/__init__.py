"""DGCNet."""

from ..family import Family
from .network import build
from .variants import CARDS, NAMES, PAPER

FAMILY = Family(paper=PAPER, cards=CARDS, build=build, blocks=r"layer\d+\.\d+", names=NAMES)

__all__ = ["FAMILY"]
