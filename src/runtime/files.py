"""Files and folders that appear complete or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def partial_path(path: Path) -> Path:
    """The hidden temporary path beside `path`, with the same ending, to which this process writes first."""
    return path.with_name(f".{path.stem}.partial-{os.getpid()}{path.suffix}")


@contextmanager
def complete_file(path: Path) -> Iterator[Path]:
    """Context that gives a temporary path to write to and moves it to `path` on exit: readers see an old or new file.

    Missing folders are created. After an error `path` is unchanged.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = partial_path(path)
    partial.unlink(missing_ok=True)
    try:
        yield partial
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def complete_folder(folder: Path) -> Iterator[Path]:
    """Context that gives a temporary folder to fill and moves it to `folder`, which must be missing or empty, on exit.

    After an error nothing remains of it.
    """
    partial = partial_path(folder)
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        yield partial
        os.replace(partial, folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def write_atomically(path: str | Path, content: bytes | str) -> None:
    """Write a file completely or not at all, text in UTF-8; see `complete_file`."""
    with complete_file(Path(path)) as partial:
        partial.write_bytes(content.encode() if isinstance(content, str) else content)


def partial_files(folder: Path) -> Iterator[Path]:
    """Unfinished files in a folder at any depth."""
    return (path for path in folder.rglob(".*.partial-*") if path.is_file())


def remove_partials(folder: Path) -> None:
    """Delete the unfinished files of killed processes; no other process may be writing to the folder."""
    for leftover in partial_files(folder):
        leftover.unlink(missing_ok=True)
