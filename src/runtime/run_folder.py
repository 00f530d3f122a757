"""Run folder: the files written by a training run, outputs/<name>/."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from src.config import UserError


@dataclass(frozen=True)
class RunFolder:
    """The files of one run."""

    root: Path

    @property
    def config(self) -> Path:
        return self.root / "config.yml"

    @property
    def log(self) -> Path:
        return self.root / "train.log"

    @property
    def metrics(self) -> Path:
        return self.root / "metrics.jsonl"

    @property
    def curves(self) -> Path:
        return self.root / "curves.png"

    @property
    def report(self) -> Path:
        return self.root / "report.html"

    @property
    def profile(self) -> Path:
        return self.root / "profile"

    @property
    def checkpoints(self) -> Path:
        return self.root / "ckpt"

    @property
    def last(self) -> Path:
        return self.checkpoints / "last.ckpt"

    @property
    def best(self) -> Path:
        return self.checkpoints / "best.ckpt"

    def create(self) -> RunFolder:
        """Create the folders; UserError if the place cannot be written."""
        try:
            self.checkpoints.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(_not_writable(self.root, error.strerror)) from None
        return self


def choose_run_folder(parent: str, name: str, resume: str) -> tuple[RunFolder, Path | None]:
    """The folder of this run, and the checkpoint from which it continues (None: from the start).

    Args:
        parent: save_checkpoint_path.
        name: the run's name; it may contain folders (a/b).
        resume: "" for a new folder (<name>, <name>-2, ...), "auto" for the latest one of this name, else a run folder
            or a checkpoint file. A checkpoint outside a run folder is continued in a new one.

    Raises:
        UserError: the place cannot be written, or the checkpoint of `resume` is missing.
    """
    _check_writable(Path(parent))
    checkpoint = _named_checkpoint(Path(resume)) if resume and resume != "auto" else None
    if checkpoint and checkpoint.parent.name == "ckpt":
        return RunFolder(checkpoint.parent.parent), checkpoint
    wanted = Path(parent) / name
    numbered = _runs_of(wanted.parent, wanted.name)
    if resume == "auto" and numbered:
        folder = RunFolder(numbered[max(numbered)])
        return folder, folder.last if folder.last.exists() else None
    number = max(numbered, default=0) + 1
    return RunFolder(wanted if number == 1 else wanted.with_name(f"{wanted.name}-{number}")), checkpoint


def run_number(name: str, folder_name: str) -> int | None:
    """The number of a folder among the runs of a name: 1 for <name>, 2 for <name>-2, None for any other folder."""
    match = re.fullmatch(rf"{re.escape(name)}(?:-(\d+))?", folder_name)
    return int(match[1] or 1) if match else None


def fresh_folder(folder: Path) -> Path:
    """Create `folder`, or <folder>-2, -3, ... if it exists: no result is overwritten.

    Raises:
        UserError: the place cannot be written.
    """
    numbered = _runs_of(folder.parent, folder.name)
    number = max(numbered, default=0) + 1
    fresh = folder if number == 1 else folder.with_name(f"{folder.name}-{number}")
    try:
        fresh.mkdir(parents=True)
    except OSError as error:
        raise UserError(f"output: {fresh} cannot be written ({error.strerror}): give --output FOLDER") from None
    return fresh


def distinct_names(files: Iterable[Path], taken: Iterable[str] = (), endings: Iterable[str] = ("",)) -> Iterator[str]:
    """One name per file: its stem, with a number if <name><ending> is already taken for one of the endings."""
    used, endings = set(taken), tuple(endings)
    for file in files:
        name, number = file.stem, 2
        while any(name + ending in used for ending in endings):
            name, number = f"{file.stem}-{number}", number + 1
        used.update(name + ending for ending in endings)
        yield name


def _named_checkpoint(path: Path) -> Path:
    checkpoint = path / "ckpt" / "last.ckpt" if path.is_dir() else path
    if not checkpoint.is_file():
        raise UserError(f"--resume {path}: no checkpoint at {checkpoint}; give a run folder, a checkpoint or auto")
    return checkpoint.absolute()  # absolute: its parent folders matter, even if the path is relative to them


def _runs_of(parent: Path, name: str) -> dict[int, Path]:
    numbers = {path: run_number(name, path.name) for path in (parent.iterdir() if parent.is_dir() else ())}
    return {number: path for path, number in numbers.items() if number}


def _check_writable(folder: Path) -> None:
    existing = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK):
        raise UserError(_not_writable(folder, "permission denied" if existing.is_dir() else "a file is in the way"))


def _not_writable(folder: Path, why: str | None) -> str:
    return f"save_checkpoint_path: {folder} cannot be written ({why}): give --save_checkpoint_path FOLDER"
