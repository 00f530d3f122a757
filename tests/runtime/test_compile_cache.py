"""Compiled graphs that later processes load: only for the very same cell, and never a wrong one."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import mindspore as ms
import pytest
from mindspore import nn

from src.runtime import compile_cache
from src.runtime.graph_key import SKIP_SOURCE_CHECK
from src.runtime.user_cache import CACHE_FOLDER
from tests.support.kernels import NEEDS_COMPILER
from tests.support.processes import PROJECT_ROOT, run_python


def run(cache, *factors, program="compiled_twice"):
    """Lines of a process that compiles `x * factor` for each of the factors, or of another program."""
    finished = subprocess.run(
        [sys.executable, "-m", f"tests.support.{program}", *map(str, factors)],
        cwd=PROJECT_ROOT,
        env={**os.environ, "XDG_CACHE_HOME": str(cache)},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return finished.stdout.splitlines()


def graphs(cache):
    return sorted((cache / CACHE_FOLDER / "graphs").glob("*"))


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """A cache that one process has filled."""
    folder = tmp_path_factory.mktemp("cache")
    assert run(folder, 2, 5) == ["2 compiled 2 6", "5 compiled 5 15"]
    return folder


def test_the_next_process_loads_in_any_order_and_never_another_graph(cache):
    assert len(graphs(cache)) == 4  # two factors, two sizes
    assert run(cache, 7, 5, 3, 2) == ["7 compiled 7 21", "5 loaded 5 15", "3 compiled 3 9", "2 loaded 2 6"]
    assert len(graphs(cache)) == 8


def test_a_damaged_graph_is_compiled_and_kept_anew(cache):
    whole = {path: path.stat().st_size for path in graphs(cache)}
    for path in whole:
        path.write_bytes(path.read_bytes()[:100])
    assert [line.split()[2:] for line in run(cache, 2, 5)] == [["2", "6"], ["5", "15"]]
    renewed = [path for path, size in whole.items() if path.stat().st_size == size]
    assert len(renewed) == 4


def test_a_cache_that_cannot_be_written_costs_nothing_but_time(tmp_path):
    (tmp_path / "file").write_text("")
    assert run(tmp_path / "file", 2) == ["2 compiled 2 6"]


def test_the_graphs_name_reaches_the_inner_cells_when_it_changes_only():
    inner = nn.ReLU()
    cell = compile_cache.CachedCell(nn.SequentialCell(inner), rank=0)
    cell.compile_phase = "first"
    assert inner.compile_phase == "first"
    inner.compile_phase = "not written again"
    cell.compile_phase = "first"
    assert inner.compile_phase == "not written again"
    cell.compile_phase = "second"
    assert inner.compile_phase == cell.compile_phase == "second"


def test_on_a_full_disk_no_graph_is_kept_and_the_framework_has_nothing_to_say(monkeypatch):
    messages = []
    monkeypatch.setenv(SKIP_SOURCE_CHECK, "1")  # it is set when the exchange is opened
    monkeypatch.setattr(compile_cache, "_exchange", compile_cache._Exchange())
    monkeypatch.setattr(compile_cache, "MIN_FREE", 2**62)
    monkeypatch.setattr(compile_cache.get_logger(), "info", lambda text, error: messages.append(text % error))
    assert compile_cache._place(nn.ReLU(), (ms.Tensor([1.0]),)) is None
    assert len(messages) == 1
    assert "No space left on device" in messages[0]


def test_what_a_killed_process_has_left_is_removed(tmp_path, monkeypatch):
    monkeypatch.setenv(SKIP_SOURCE_CHECK, "1")  # it is set when the exchange is opened
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with monkeypatch.context() as killed:
        killed.setattr(os, "getpid", lambda: 2**22 + 1)  # above Linux's largest
        left = Path(compile_cache._Exchange().open())
    assert list(tmp_path.iterdir()) == [left]
    opened = Path(compile_cache._Exchange().open())
    assert list(tmp_path.iterdir()) == [opened] != [left]


def test_graphs_not_used_for_longest_are_dropped(tmp_path, monkeypatch):
    monkeypatch.setattr(compile_cache, "MAX_FILES", 2)
    for number in range(4):
        compile_cache._keep(tmp_path / f"{number}.mindir", b"graph")
        os.utime(tmp_path / f"{number}.mindir", (number, number))
    compile_cache._keep(tmp_path / "4.mindir", b"graph")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["3.mindir", "4.mindir"]


@NEEDS_COMPILER
def test_a_graph_with_kernels_is_loaded_and_right(tmp_path):
    (compiled,), (loaded,) = (run(tmp_path, program="compiled_kernels")[-1:] for _ in range(2))
    assert compiled.split()[0] == "compiled"
    assert loaded == compiled.replace("compiled", "loaded")
    library = next((tmp_path / CACHE_FOLDER / "kernels").glob("*.so"))
    library.rename(library.with_name("other.so"))  # so that it is built anew: under its own name, the graph still holds
    assert run(tmp_path, program="compiled_kernels")[-1] == loaded


def test_standard_error_stays_what_it_was(tmp_path):
    """The framework's own look at the sources loads `sys` anew."""
    program = """
        import contextlib, importlib, io, sys
        with contextlib.redirect_stderr(io.StringIO()) as captured:
            sys.argv = ["script", "2"]
            importlib.import_module("tests.support.compiled_twice")
            print(sys.stderr is captured)
    """
    finished = run_python(program, env={"XDG_CACHE_HOME": str(tmp_path)})
    assert finished.stdout.splitlines() == ["2 compiled 2 6", "True"]
