"""Functions: cells without parameters, of which all layers that compute the same hold the same one."""

from functools import cache

from mindspore import nn


class Function(nn.Cell):
    """Base of the cells that are functions of their inputs alone."""

    @classmethod
    @cache
    def shared(cls, *arguments, **options) -> "Function":
        """The one for these arguments.

        The compiler reads, types and differentiates a cell once, however many layers call it: it takes a sixth longer
        where each has its own. A profile names all operators of a function after its first layer.
        """
        return cls(*arguments, **options)

    def add_flags_recursive(self, **flags) -> "Function":
        """Nothing: modes, as training, are those of one network, and a function may be in several."""
        return self
