"""Cells called one after the other."""

from collections.abc import Sequence
from functools import reduce

from mindspore import nn

from .formulations import LayerContext


class _Composition(nn.Cell):
    """x (...) -> second(first(x)); names of parameters stay those of the cells."""

    def __init__(self, first: nn.Cell, second: nn.Cell):
        super().__init__(auto_prefix=False)
        self.first, self.second = first, second

    def construct(self, x):
        return self.second(self.first(x))


class Chain(nn.SequentialCell):
    """nn.SequentialCell without its loop and without the cells that do nothing: both take long to compile.

    The composition is stored behind Cell's back, so that each cell and parameter is found once. Cells that are
    exchanged later have no effect, so this is not for mixed precision.
    """

    def __init__(self, cells: Sequence[nn.Cell]):
        super().__init__(list(cells))
        working = [cell for cell in cells if not isinstance(cell, nn.Identity)]
        object.__setattr__(self, "composition", reduce(_Composition, working or cells))

    def construct(self, x):
        return self.composition(x)


def chain(cells: Sequence[nn.Cell], context: LayerContext) -> nn.SequentialCell:
    """The cells one after the other, their parameters numbered from 0."""
    return (Chain if context.uses_kernels else nn.SequentialCell)(list(cells))
