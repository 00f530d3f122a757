"""Keys of compiled graphs: everything that a compiler reads of a cell, as one hash.

The framework writes numbers, settings and tensors that a cell holds into the graph as constants. A graph compiled for
one cell may therefore serve another only when all of these are equal, which it does not check itself.
"""

from __future__ import annotations

import hashlib
import os
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any

import mindspore as ms
import numpy as np
from mindspore import Parameter, Tensor, nn

# With it the framework loads a graph without comparing the sources that the started script imports: the key has them.
SKIP_SOURCE_CHECK = "MS_DEV_FORCE_USE_COMPILE_CACHE"
# Set anew in each process or by each compilation, and read by no compiler.
_BOOKKEEPING = {
    "_compile_cache",
    "_compile_phase",
    "_compiled",
    "_create_time",
    "_id",
    "_jit_graph_name",
    "_phase_cache",
    "_scope",
    "arguments_key",
    "compile_phase",
    "current_phase",
    "hash_obj",
}
_PLAIN = (str, bytes, int, float, complex, type(None), type(Ellipsis))
_SOURCE_ROOT = Path(__file__).resolve().parents[1]


class NoKeyError(Exception):
    """A cell holds something whose content cannot be read, so that no key can stand for it."""


def graph_key(cell: nn.Cell, inputs: tuple[Tensor, ...]) -> str:
    """Hash of the cell, the shapes and types of its inputs, the sources, the framework and its settings.

    Raises:
        NoKeyError: the cell holds an object of unknown content.
    """
    digest = hashlib.sha256()
    for part in (*_surroundings(), *map(_outline, inputs), *_content(cell, {})):
        digest.update(part if isinstance(part, bytes) else part.encode("utf-8", "surrogatepass"))
        digest.update(b"\0")
    return digest.hexdigest()


def _surroundings() -> Iterator[str]:
    """What else decides about a graph: versions, device, mode, the framework's own switches, our sources."""
    yield from (ms.__version__, sys.version, ms.get_context("device_target"), str(ms.get_context("mode")))
    yield from (ms.get_auto_parallel_context("parallel_mode"), str(ms.get_context("jit_config")))
    yield from (
        f"{name}={os.environ[name]}"
        for name in sorted(os.environ)
        if name.startswith("MS_DEV_") and name != SKIP_SOURCE_CHECK
    )
    for path in sorted(_sources()):
        yield f"{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()}"


def _sources() -> set[Path]:
    """This project's source files, and those of every loaded module that is not installed (a user's own network)."""
    installed = tuple({sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")})
    files = {getattr(module, "__file__", None) for module in list(sys.modules.values())}
    own = {Path(file) for file in files if file and file.endswith(".py") and not file.startswith(installed)}
    return {path.resolve() for path in own if path.is_file()} | set(_SOURCE_ROOT.rglob("*.py"))


def _outline(tensor: Tensor) -> str:
    return f"{tensor.dtype} {tuple(tensor.shape)}"


def _content(value: Any, seen: dict[int, tuple[int, Any]]) -> Iterator[str | bytes]:
    """The parts of a value in a fixed order; an object that occurred before is named by its number."""
    if isinstance(value, _PLAIN):
        yield f"{type(value).__name__} {value!r}"
        return
    if id(value) in seen:
        yield f"object {seen[id(value)][0]}"
        return
    seen[id(value)] = len(seen), value  # held, so that its id is not given to another
    yield f"{type(value).__module__}.{type(value).__qualname__}"
    yield from _parts(value, seen)


def _parts(value: Any, seen: dict[int, tuple[int, Any]]) -> Iterator[str | bytes]:
    if isinstance(value, Parameter):  # an input of the graph: its values are not part of it
        yield f"{value.name} {_outline(value)} {value.requires_grad}"
    elif isinstance(value, Tensor):
        yield _outline(value)
        yield value.asnumpy().tobytes()
    elif isinstance(value, np.ndarray | np.generic):
        yield f"{value.dtype} {value.shape}"
        yield value.tobytes()
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from _content(name, seen)
            yield from _content(item, seen)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _content(item, seen)
    elif isinstance(value, set | frozenset):
        yield from sorted(map(repr, value))
    elif isinstance(value, FunctionType):
        yield f"{value.__module__}.{value.__qualname__}"
        yield from _content((value.__defaults__, value.__kwdefaults__), seen)
        held = zip(value.__code__.co_freevars, value.__closure__ or (), strict=True)
        yield from _named(((name, cell.cell_contents) for name, cell in held), seen)
    elif isinstance(value, MethodType):
        yield value.__func__.__qualname__
        yield from _content(value.__self__, seen)
    elif isinstance(value, partial):
        yield from _content((value.func, value.args, value.keywords), seen)
    elif isinstance(value, type | BuiltinFunctionType | ModuleType):
        yield f"{getattr(value, '__module__', '')}.{getattr(value, '__qualname__', value.__name__)}"
    elif isinstance(value, ms.dtype.Type) or hasattr(type(value), "__members__"):  # types; enumerations
        yield str(value)
    elif hasattr(value, "__dict__"):  # cells, primitives, function graphs, records
        yield from _named(sorted(vars(value).items()), seen)
    else:
        raise NoKeyError(f"{type(value).__module__}.{type(value).__qualname__}")


def _named(items: Iterable[tuple[str, Any]], seen: dict[int, tuple[int, Any]]) -> Iterator[str | bytes]:
    """The parts of attributes or of a function's outer variables."""
    for name, item in items:
        unused = name.startswith("_lazy_") and not item  # hooks, made at first use
        if name not in _BOOKKEEPING and not unused:
            yield name
            yield from _content(item, seen)
