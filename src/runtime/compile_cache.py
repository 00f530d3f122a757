"""Compile cache: graphs that an earlier process compiled, so that a later one starts in seconds.

The framework can load a compiled graph instead of compiling, but it names the files by their order in the process and
does not notice another learning rate or another network option. Here each graph is filed under `graph_key`, and handed
to the framework under the name that it expects.
"""

from __future__ import annotations

import atexit
import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from uuid import uuid4

import mindspore as ms
from mindspore import nn
from mindspore.graph import api as framework

from src.runtime.files import remove_all_leftovers, temporary_folder, write_atomically
from src.runtime.graph_key import SKIP_SOURCE_CHECK, NoKeyError, graph_key
from src.runtime.logs import get_logger
from src.runtime.memory import return_freed_memory
from src.runtime.session import Session
from src.runtime.user_cache import cache_folder

MAX_FILES = 200  # a graph has about 2 MB
MIN_FREE = 2**26  # bytes; on a full disk the framework prints its own errors about the graph's file


class _Exchange:
    """Folder of this process in which the framework looks for one graph, or leaves the one that it compiled.

    The framework fixes the folder with the first graph, and numbers the graphs that it compiles with its cache on.
    """

    def __init__(self):
        self._number = 0
        self._folder = ""

    @contextmanager
    def compiling(self, kept: Path, rank: int) -> Iterator[bool]:
        """Context in which one graph is compiled, with its file in the cache; gives whether that is there already."""
        offered = self._offer(kept, rank)
        ms.set_context(enable_compile_cache=True, compile_cache_path=self.open())
        try:
            yield offered is not None
        finally:
            ms.set_context(enable_compile_cache=False)
            self._number += 1
            left = self._take()
        if left not in (None, offered):  # a damaged file has been compiled anew
            _keep(kept, left)

    def open(self) -> str:
        """The folder, made at the first call; OSError if it cannot be."""
        if not self._folder:
            place = Path(tempfile.gettempdir())
            remove_all_leftovers(place)
            stack = ExitStack()
            self._folder = str(stack.enter_context(temporary_folder(place / f"graphs-{uuid4().hex}")))
            atexit.register(stack.close)
            os.environ[SKIP_SOURCE_CHECK] = "1"
            # Else it looks up what the started script imports all the same, and thereby loads `sys` a second time,
            # which resets sys.stderr.
            framework.entry_script_path = None
        return self._folder

    def _offer(self, kept: Path, rank: int) -> bytes | None:
        """Lay the kept graph where the framework looks; returns its content, None if there is none."""
        copy = Path(self.open(), f"rank_{rank}", "graph_cache", f"compile_cache_{self._number}.mindir")
        try:
            graph = kept.read_bytes()
            os.utime(kept)  # lately used
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(graph)
        except OSError:  # it is not there, or no space
            copy.unlink(missing_ok=True)
            return None
        return graph

    def _take(self) -> bytes | None:
        """Content of the graph's file; the folder is left empty, so that no other graph can be mistaken for this."""
        content = None
        for file in Path(self.open()).glob("rank_*/graph_cache/*"):
            with suppress(OSError):
                if file.suffix == ".mindir":
                    content = file.read_bytes()
            file.unlink(missing_ok=True)
        return content


_exchange = _Exchange()  # one, since the framework's folder and numbers are the process's


class CachedCell(nn.Cell):
    """A cell whose compiled graphs are kept for later processes; called as the cell is.

    Attributes:
        loaded: whether the last graph came from the cache.
    """

    def __init__(self, cell: nn.Cell, rank: int):
        super().__init__(auto_prefix=False)
        self.cell = cell
        self.loaded = False
        self._rank = rank
        self._compiled_for: set[str] = set()

    def construct(self, *inputs):
        return self.cell(*inputs)

    @property
    def compile_phase(self) -> str:
        """The phase that all cells in it were compiled in."""
        return self._compile_phase

    @compile_phase.setter
    def compile_phase(self, value: str) -> None:
        # The framework sets it at each call, which in some hundred cells takes 3 ms.
        if value != self._compile_phase:
            nn.Cell.compile_phase.fset(self, value)

    def compile(self, *inputs, **named):
        """Compile for these inputs, or load what an earlier process compiled; the framework calls it at each step."""
        form = f"{self.phase} {[(tensor.shape, tensor.dtype) for tensor in inputs]}"
        kept = None if form in self._compiled_for else _place(self.cell, inputs)
        self._compiled_for.add(form)
        if kept is None:
            super().compile(*inputs, **named)
            return
        with _exchange.compiling(kept, self._rank) as self.loaded:
            super().compile(*inputs, **named)
        return_freed_memory()


def cached(cell: nn.Cell, session: Session) -> nn.Cell:
    """The cell, its compiled graphs kept for later processes where the session says so."""
    return CachedCell(cell, session.rank) if session.compile_cache else cell


def _place(cell: nn.Cell, inputs: tuple[ms.Tensor, ...]) -> Path | None:
    """The file in the cache that the graph has or shall have; None (and a line in the log) where none can be."""
    try:
        if shutil.disk_usage(_exchange.open()).free < MIN_FREE:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), tempfile.gettempdir())
        return cache_folder("graphs") / f"{graph_key(cell, inputs)}.mindir"
    except (NoKeyError, OSError, RuntimeError, ValueError) as error:  # ValueError: a closure's variable without value
        _log_not_kept(error)
        return None


def _keep(kept: Path, graph: bytes) -> None:
    """Write a graph into the cache, which drops those not used for longest."""
    try:
        write_atomically(kept, graph)
        files = sorted(kept.parent.glob("*.mindir"), key=lambda file: file.stat().st_mtime, reverse=True)
        for file in files[MAX_FILES:]:
            file.unlink(missing_ok=True)
    except OSError as error:
        _log_not_kept(error)


def _log_not_kept(error: Exception) -> None:
    get_logger().info("the compiled graph is not kept for later runs: %s", error)
