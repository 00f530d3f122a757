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
from itertools import chain
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
    content = _ContentHash()
    for part in (*_surroundings(), *map(_outline, inputs)):
        content.add_part(part)
    content.add(cell)
    return content.digest()


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


class _ContentHash:
    """Hash of values' parts in a fixed order; an object that occurred before is named by its number.

    Parts are hashed where they are found instead of handed up: a large network has a quarter of a million, ten levels
    deep.
    """

    def __init__(self):
        self._hash = hashlib.sha256()
        # By id; each is held, so that its id is not given to another.
        self._seen: dict[int, tuple[int, Any]] = {}

    def digest(self) -> str:
        """The hash so far, as hexadecimal digits."""
        return self._hash.hexdigest()

    def add_part(self, part: str | bytes) -> None:
        """Add one part as it is."""
        self._hash.update(part if isinstance(part, bytes) else part.encode("utf-8", "surrogatepass"))
        self._hash.update(b"\0")

    def add(self, value: Any) -> None:
        """Add the parts of any value; NoKeyError if they are not known."""
        if isinstance(value, _PLAIN):
            self.add_part(f"{type(value).__name__} {value!r}")
        elif id(value) in self._seen:
            self.add_part(f"object {self._seen[id(value)][0]}")
        else:
            self._seen[id(value)] = len(self._seen), value
            self.add_part(f"{type(value).__module__}.{type(value).__qualname__}")
            self._add_inner(value)

    def _add_inner(self, value: Any) -> None:
        if isinstance(value, Parameter):  # an input of the graph: its values are not part of it
            self.add_part(f"{value.name} {_outline(value)} {value.requires_grad}")
        elif isinstance(value, Tensor):
            self.add_part(_outline(value))
            self.add_part(value.asnumpy().tobytes())
        elif isinstance(value, np.ndarray | np.generic):
            self.add_part(f"{value.dtype} {value.shape}")
            self.add_part(value.tobytes())
        elif isinstance(value, dict):
            self._add_all(chain.from_iterable(value.items()))
        elif isinstance(value, list | tuple):
            self._add_all(value)
        elif isinstance(value, set | frozenset):
            for text in sorted(map(repr, value)):
                self.add_part(text)
        elif isinstance(value, FunctionType):
            self.add_part(f"{value.__module__}.{value.__qualname__}")
            self.add((value.__defaults__, value.__kwdefaults__))
            held = zip(value.__code__.co_freevars, value.__closure__ or (), strict=True)
            self._add_named((name, cell.cell_contents) for name, cell in held)
        elif isinstance(value, MethodType):
            self.add_part(value.__func__.__qualname__)
            self.add(value.__self__)
        elif isinstance(value, partial):
            self._add_all((value.func, value.args, value.keywords))
        elif isinstance(value, type | BuiltinFunctionType | ModuleType):
            self.add_part(f"{getattr(value, '__module__', '')}.{getattr(value, '__qualname__', value.__name__)}")
        elif isinstance(value, ms.dtype.Type) or hasattr(type(value), "__members__"):  # types; enumerations
            self.add_part(str(value))
        elif hasattr(value, "__dict__"):  # cells, primitives, function graphs, records
            self._add_named(sorted(vars(value).items()))
        else:
            raise NoKeyError(f"{type(value).__module__}.{type(value).__qualname__}")

    def _add_all(self, values: Iterable[Any]) -> None:
        for value in values:
            self.add(value)

    def _add_named(self, items: Iterable[tuple[str, Any]]) -> None:
        """Add attributes, or a function's outer variables."""
        for name, item in items:
            unused = name.startswith("_lazy_") and not item  # hooks, made at first use
            if name not in _BOOKKEEPING and not unused:
                self.add_part(name)
                self.add(item)
