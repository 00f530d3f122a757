"""Files and folders that appear complete or not at all, and whose leftovers the next command removes."""

from __future__ import annotations

import csv
import errno
import io
import os
import platform
import re
import resource
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from src.config import UserError

# Host and number of the process, since folders may be shared by machines.
_PARTIAL = re.compile(r"\.(?P<stem>.+)\.partial-(?P<process>\d+)@(?P<host>[\w-]*)(?P<suffix>\..*)?")
_FORMULAS = ("=", "+", "-", "@", "\t", "\r")


def partial_path(path: Path) -> Path:
    """The hidden temporary path beside `path`, with the same ending, to which this process writes first."""
    return path.with_name(f".{path.stem}.partial-{os.getpid()}@{_host()}{path.suffix}")


def final_path(path: Path) -> Path:
    """The path that a file in an unfinished folder will have, for messages."""
    return Path(*(_final_name(part) for part in path.parts))


def _final_name(name: str) -> str:
    match = _PARTIAL.fullmatch(name)
    return name if match is None else match["stem"] + (match["suffix"] or "")


def _name(error: OSError, path: Path) -> None:
    """Let the error of a write, which names no file, name the one that the user will look for."""
    if error.errno is not None:
        error.filename = str(final_path(Path(os.fsdecode(error.filename or path))))


def _host() -> str:
    return re.sub(r"[^\w-]", "-", platform.node(), flags=re.ASCII)


def check_new(key: str, path: Path, overwrite: bool) -> None:
    """UserError if the result named by the setting `key` exists and must not be replaced."""
    if not overwrite and os.path.lexists(path):
        raise UserError(f"{key}: {path} exists already: give another name, or --overwrite 1 to replace it")


def check_room(folder: Path, num_bytes: int, longest: int) -> None:
    """OSError if a disk, a quota or the limit of a file's size has no room: for writers that crash without it.

    Args:
        num_bytes: written next below `folder`; they are reserved for a moment, since no quota tells what it leaves.
        longest: the size that the largest file will have.
    """
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)[0]
    try:
        if limit != resource.RLIM_INFINITY and longest > limit:
            raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
        with tempfile.TemporaryFile(dir=folder) as reserved:
            os.posix_fallocate(reserved.fileno(), 0, num_bytes)
    except OSError as error:
        _name(error, folder)
        raise


@contextmanager
def complete_file(path: Path, *, clean: bool = True) -> Iterator[Path]:
    """Context that gives a temporary path to write to and moves it to `path` on exit: readers see an old or new file.

    Missing folders are created. After an error `path` is unchanged. UserError where it is a folder.

    Args:
        clean: see `remove_leftovers`, which reads the whole folder; for many files `remove_all_leftovers` does it once.
    """
    if path.is_dir():
        raise UserError(f"{path} is a folder: give the name of a file")
    path.parent.mkdir(parents=True, exist_ok=True)
    if clean:
        remove_leftovers(path)
    partial = partial_path(path)
    partial.unlink(missing_ok=True)
    try:
        yield partial
        os.replace(partial, path)
    except OSError as error:
        _name(error, path)
        raise
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def complete_folder(folder: Path, *, overwrite: bool = False) -> Iterator[Path]:
    """Context that gives a temporary folder to fill and moves it to `folder` on exit.

    After an error nothing remains of it, and `folder` is unchanged.

    Args:
        overwrite: replace what is in `folder`, which must be missing or empty otherwise.
    """
    with temporary_folder(folder) as partial:
        yield partial
        if overwrite:
            _remove(folder)
        os.replace(partial, folder)


@contextmanager
def temporary_folder(path: Path) -> Iterator[Path]:
    """Context that gives a hidden folder beside `path`, for what is moved there when it is complete."""
    remove_leftovers(path)
    partial = partial_path(path)
    _remove(partial)
    partial.mkdir(parents=True)
    try:
        yield partial
    except OSError as error:
        _name(error, path)
        raise
    finally:
        _remove(partial)


def write_atomically(path: str | Path, content: bytes | str) -> None:
    """Write a file completely or not at all; see `complete_file`.

    Text is written in UTF-8; names that are not (a file's undecodable bytes) get backslash escapes.
    """
    with complete_file(Path(path)) as partial:
        partial.write_bytes(_bytes(content))


def holds(path: Path, content: bytes | str) -> bool:
    """Whether `path` is a file with just this content, as `write_atomically` writes it."""
    return path.is_file() and path.read_bytes() == _bytes(content)


def _bytes(content: bytes | str) -> bytes:
    return content.encode("utf-8", "backslashreplace") if isinstance(content, str) else content


def write_csv(path: str | Path, rows: Iterable[Sequence[Any]]) -> None:
    """Write a table completely or not at all: UTF-8, None as an empty cell.

    A text that a spreadsheet would calculate as a formula (a class called =1+1) gets an apostrophe.
    """
    table = io.StringIO()
    csv.writer(table).writerows([_cell(value) for value in row] for row in rows)
    write_atomically(path, table.getvalue())


def _cell(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULAS) else value


def partial_files(folder: Path) -> Iterator[Path]:
    """Unfinished files in a folder at any depth."""
    return (path for path in folder.rglob(".*.partial-*") if path.is_file())


def remove_partials(folder: Path) -> None:
    """Delete all unfinished files and folders in this folder; no other process may be writing to it."""
    for leftover in folder.glob(".*.partial-*"):
        _remove(leftover)


def remove_leftovers(path: Path) -> bool:
    """Delete what killed processes of this machine have left of `path`; returns whether there was anything."""
    found = [leftover for match, leftover in _leftovers(path.parent) if _is_of(match, path)]
    for leftover in found:
        _remove(leftover)
    return bool(found)


def remove_all_leftovers(folder: Path) -> None:
    """Delete what killed processes of this machine have left in a folder."""
    for _, leftover in _leftovers(folder):
        _remove(leftover)


def _leftovers(folder: Path) -> list[tuple[re.Match, Path]]:
    found = [(_PARTIAL.match(path.name), path) for path in folder.glob(".*.partial-*")]
    return [
        (match, path)
        for match, path in found
        if match and match["host"] == _host() and not _runs(int(match["process"]))
    ]


def _is_of(match: re.Match, path: Path) -> bool:
    return match["stem"] == path.stem and (match["suffix"] or "").startswith(path.suffix)


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def _remove(path: Path) -> None:
    """Delete a file or folder as far as possible, one descriptor at a time; `shutil.rmtree` takes one per level."""
    is_folder = path.is_dir() and not path.is_symlink()
    if is_folder:
        with suppress(OSError):
            for inner in path.iterdir():
                _remove(inner)
    with suppress(OSError):  # an empty folder also without a descriptor
        path.rmdir() if is_folder else path.unlink(missing_ok=True)
