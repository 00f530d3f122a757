"""The library of kernels: compiled once, and where it cannot be had, one line in the log instead."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from src.runtime import kernel_library as module
from src.runtime.kernel_library import kernel_library
from tests.support.kernels import NEEDS_COMPILER
from tests.support.processes import PROJECT_ROOT

SOURCE = 'extern "C" int set_num_threads(int number) { return number + ADDED; }\n'


@pytest.fixture
def sources(tmp_path, monkeypatch):
    """A folder with one small source, and an empty cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "sources"
    folder.mkdir()
    (folder / "added.h").write_text("#define ADDED 40\n")
    (folder / "threads.cpp").write_text('#include "added.h"\n' + SOURCE)
    kernel_library.cache_clear()
    yield folder
    kernel_library.cache_clear()


def anew(sources):
    """The library as a further process would find it."""
    kernel_library.cache_clear()
    return kernel_library(sources)


def files(tmp_path):
    return sorted(path.name for path in (tmp_path / "cache").rglob("*") if path.is_file() and path.name != ".lock")


@NEEDS_COMPILER
def test_it_is_compiled_once_and_anew_for_other_sources(sources, tmp_path):
    first = anew(sources)
    assert ctypes.CDLL(first).set_num_threads(2) == 42
    time = Path(first).stat().st_ino
    assert anew(sources) == first
    assert Path(first).stat().st_ino == time
    (sources / "added.h").write_text("#define ADDED 50\n")
    second = anew(sources)
    assert ctypes.CDLL(second).set_num_threads(2) == 52
    assert len(files(tmp_path)) == 2


@NEEDS_COMPILER
def test_another_processor_or_compiler_gets_its_own(sources, monkeypatch):
    first = anew(sources)
    monkeypatch.setattr(module, "FLAGS", (*module.FLAGS, "-mno-avx"))
    assert anew(sources) not in (first, "")


@NEEDS_COMPILER
def test_processes_that_start_at_once_all_get_it(sources, tmp_path):
    program = (
        "import sys; from pathlib import Path; from src.runtime.kernel_library import kernel_library; "
        "print(kernel_library(Path(sys.argv[1])))"
    )
    command = [sys.executable, "-c", program, str(sources)]
    started = [
        subprocess.Popen(command, cwd=PROJECT_ROOT, env={**os.environ}, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    found = [process.communicate(timeout=120)[0].splitlines()[-1] for process in started]
    assert found[0] == found[1] != ""
    assert files(tmp_path) == [Path(found[0]).name]


@NEEDS_COMPILER
def test_a_cache_that_is_read_only_serves_what_it_has(sources, tmp_path, monkeypatch):
    library = anew(sources)

    def refused(*_, **__):
        raise PermissionError("read-only")

    monkeypatch.setattr(os, "utime", refused)
    monkeypatch.setattr(module, "_compile", refused)
    assert anew(sources) == library


def assert_refused(sources, caplog, *words):
    caplog.clear()
    with caplog.at_level("INFO", logger="zoo"):
        assert anew(sources) == ""
        assert kernel_library(sources) == ""
    (line,) = [record.getMessage() for record in caplog.records if "operators are used" in record.getMessage()]
    assert "\n" not in line
    assert all(word in line for word in words)


def test_without_a_compiler_or_a_cache_one_line_says_so(sources, tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(shutil, "which", lambda _: None)
    assert_refused(sources, caplog, "g++", "apt install")
    monkeypatch.undo()
    monkeypatch.setenv("XDG_CACHE_HOME", str(sources / "added.h"))
    assert_refused(sources, caplog, "added.h" if shutil.which("g++") else "g++")


@NEEDS_COMPILER
@pytest.mark.parametrize("kept", ["nothing", "half", "all but a bit"])
def test_a_damaged_library_is_compiled_anew_with_one_line(sources, caplog, kept):
    library = Path(anew(sources))
    content = bytearray(library.read_bytes())
    content[len(content) // 2] ^= 1
    library.unlink()  # the old one is still loaded
    library.write_bytes({"nothing": b"", "half": content[: len(content) // 2], "all but a bit": content}[kept])
    caplog.clear()
    with caplog.at_level("INFO", logger="zoo"):
        assert ctypes.CDLL(anew(sources)).set_num_threads(2) == 42
        assert anew(sources) == str(library)
    (line,) = [record.getMessage() for record in caplog.records]
    assert f"{library} is damaged" in line


@NEEDS_COMPILER
def test_a_damaged_library_that_cannot_be_replaced_is_not_loaded(sources, monkeypatch, caplog):
    library = Path(anew(sources))
    library.unlink()
    library.write_bytes(b"")

    def refused(*_, **__):
        raise PermissionError("read-only")

    monkeypatch.setattr(module, "_compile", refused)
    assert_refused(sources, caplog, "read-only")


@NEEDS_COMPILER
def test_sources_that_do_not_compile_or_load_leave_nothing(sources, tmp_path, caplog):
    (sources / "threads.cpp").write_text("int broken(;\n")
    assert_refused(sources, caplog, "threads.cpp:1", "error")
    assert files(tmp_path) == []
    (sources / "threads.cpp").write_text('extern "C" int other() { return 0; }\n')
    assert_refused(sources, caplog, "set_num_threads")


@NEEDS_COMPILER
def test_libraries_not_used_for_longest_are_dropped(sources, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "MAX_LIBRARIES", 1)
    old = Path(anew(sources))
    os.utime(old, (1, 1))
    (sources / "added.h").write_text("#define ADDED 50\n")
    assert files(tmp_path) == [old.name] and [Path(anew(sources)).name] == files(tmp_path)
