"""Kernels of the compiled library as operators of the framework."""

import ctypes
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

from mindspore import ops
from mindspore.ops import signature as sig

SOURCES = Path(__file__).parent


def kernel(library: str, name: str, out_shape: Callable, out_dtype: Callable) -> ops.Custom:
    """The operator `name` of the library at this path.

    out_shape, out_dtype: of all inputs' shapes, or types, the outputs'. They may depend on nothing else: the framework
    keeps what they return for other operators of this name.
    """
    return ops.Custom(f"{library}:{name}", out_shape=out_shape, out_dtype=out_dtype, func_type="aot")


@cache
def has_wide_products(library: str) -> bool:
    """Whether the library's matrix products outpace the framework's on this processor, whatever their sizes."""
    return bool(ctypes.CDLL(library).has_wide_products())


class InPlaceKernel(ops.Custom):
    """Base of the operators that change inputs; made as by `kernel`.

    A subclass says which, as `__mindspore_signature__ = in_place_signature(...)`, so that the compiler keeps the order
    of this and all that reads them. The signature belongs to the class: an operator that holds one of its own has no
    key in the cache of compiled graphs.
    """

    def __init__(self, library: str, name: str, out_shape: Callable, out_dtype: Callable):
        super().__init__(f"{library}:{name}", out_shape=out_shape, out_dtype=out_dtype, func_type="aot")
        self.add_prim_attr("side_effect_mem", True)


def in_place_signature(inputs: Sequence[str], changed: Sequence[str]) -> tuple:
    """Names of an operator's inputs, and which of them it changes."""
    return tuple(sig.make_sig(name, sig.sig_rw.RW_WRITE if name in changed else sig.sig_rw.RW_READ) for name in inputs)
