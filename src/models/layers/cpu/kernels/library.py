"""Kernels of the compiled library as operators of the framework."""

from collections.abc import Callable
from pathlib import Path

from mindspore import ops

SOURCES = Path(__file__).parent


def kernel(library: str, name: str, out_shape: Callable, out_dtype: Callable) -> ops.Custom:
    """The operator `name` of the library at this path.

    out_shape, out_dtype: of all inputs' shapes, or types, the outputs'. They may depend on nothing else: the framework
    keeps what they return for other operators of this name.
    """
    return ops.Custom(f"{library}:{name}", out_shape=out_shape, out_dtype=out_dtype, func_type="aot")
