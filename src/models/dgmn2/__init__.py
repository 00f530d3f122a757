"""DGMN2, a network whose nodes attend to a few dynamically sampled places."""

from ..family import Family
from .graph_view import GRAPHS
from .network import build
from .variants import CARDS, NAMES, PAPER

FAMILY = Family(paper=PAPER, cards=CARDS, build=build, blocks=r"block\d+\.\d+", names=NAMES, graphs=GRAPHS)

__all__ = ["FAMILY"]
