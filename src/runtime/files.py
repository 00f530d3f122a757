"""Files and folders that appear complete or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def partial_path(path: Path) -> Path:
    """Where this process writes what is to stand at `path`: hidden, beside it, with its ending."""
    return path.with_name(f".{path.stem}.partial-{os.getpid()}{path.suffix}")


@contextmanager
def complete_file(path: Path) -> Iterator[Path]:
    """Give a path to write to; on leaving, that file takes its place at `path`, where readers see the old or the new.

    Missing folders are made. After an error `path` is as it was.
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
    """Give a folder to fill; on leaving, it takes its place at `folder`, where nothing or an empty folder may be.

    After an error nothing is left of it.
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
    """Write a file's content, text in UTF-8, as `complete_file` does."""
    with complete_file(Path(path)) as partial:
        partial.write_bytes(content.encode() if isinstance(content, str) else content)


def remove_partials(folder: Path) -> None:
    """Delete what killed processes left unfinished in a folder that no other process writes to."""
    for leftover in folder.glob(".*.partial-*"):
        leftover.unlink(missing_ok=True)
