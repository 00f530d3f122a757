"""HLG, a transformer of local and global attention."""

from ..family import Family
from .graph_view import GRAPHS
from .network import build
from .variants import CARDS, NAMES, PAPER

FAMILY = Family(paper=PAPER, cards=CARDS, build=build, blocks=r"block\d+_\d+", names=NAMES, graphs=GRAPHS)

__all__ = ["FAMILY"]
