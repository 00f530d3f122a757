"""Run folder: the files written by a training run, outputs/<name>/."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from src.config import UserError
from src.config.reader import read_settings
from src.runtime.files import complete_folder, remove_leftovers


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

    def is_named(self, name: str) -> bool:
        """Whether this is a run that was started by `name`, as its config.yml says.

        vig-50 may be the 50th run of the name vig, or the first one of the name vig-50. Configurations of earlier
        versions name no run that got its name from the recipe.
        """
        try:
            recorded = [setting.value for setting in read_settings(self.config) if setting.key == "name"]
        except UserError:
            return False
        return recorded in ([""], [name])


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
    runs = [path for _, path in sorted(_numbered(wanted).items()) if RunFolder(path).is_named(name)]
    if resume == "auto" and runs:
        folder = RunFolder(runs[-1])
        return folder, folder.last if folder.last.exists() else None
    return RunFolder(_first_free(wanted, runs[-1:])), checkpoint


def create_run_folder(parent: str, name: str) -> RunFolder:
    """Create the folder of a new run, which no other process has created or will create: <name>, <name>-2, ...

    Raises:
        UserError: the place cannot be written.
    """
    while True:
        folder, _ = choose_run_folder(parent, name, resume="")
        try:
            folder.root.mkdir(parents=True)
        except FileExistsError:  # a run that was started at the same time
            continue
        except OSError as error:
            raise UserError(_not_writable(folder.root, error.strerror)) from None
        return folder.create()


def run_number(name: str, folder_name: str) -> int | None:
    """The number of a folder among the runs of a name: 1 for <name>, 2 for <name>-2, None for any other folder."""
    match = re.fullmatch(rf"{re.escape(name)}(?:-(\d{{1,9}}))?", folder_name)
    return int(match[1] or 1) if match else None


def fresh_folder(folder: Path) -> Path:
    """Create `folder`, or <folder>-2, -3, ... if it exists: no result is overwritten.

    Raises:
        UserError: the place cannot be written.
    """
    while True:
        numbered = _numbered(folder)
        fresh = _first_free(folder, [numbered[max(numbered)]] if numbered else [])
        try:
            fresh.mkdir(parents=True)
        except FileExistsError:  # a command that was started at the same time
            continue
        except OSError as error:
            raise UserError(f"output: {fresh} cannot be written ({error.strerror}): give --output FOLDER") from None
        return fresh


@contextmanager
def fresh_results(folder: Path) -> Iterator[Path]:
    """Context that gives a hidden folder to fill; on exit it is `folder`, or <folder>-2, -3, ... if that exists.

    After an error nothing remains of it. `final_path` gives the name that a file in it will have.

    Raises:
        UserError: the place cannot be written.
    """
    for path in _numbered(folder).values():  # a killed command leaves its empty folder beside the hidden one
        if remove_leftovers(path):
            with suppress(OSError):
                path.rmdir()
    reserved = fresh_folder(folder)
    try:
        with complete_folder(reserved) as partial:
            yield partial
    except BaseException:
        with suppress(OSError):
            reserved.rmdir()
        raise


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


def _numbered(wanted: Path) -> dict[int, Path]:
    """{number: path} of what is called like `wanted`, which has the number 1, or like <wanted>-<number>."""
    siblings = wanted.parent.iterdir() if wanted.parent.is_dir() else ()
    numbers = {path: run_number(wanted.name, path.name) for path in siblings}
    return {number: path for path, number in numbers.items() if number}


def _first_free(wanted: Path, latest: list[Path]) -> Path:
    """The path after `latest` (none: from `wanted` on) that is not taken."""
    number = next((number for number, path in _numbered(wanted).items() if path in latest), 0)
    names = (wanted if number == 1 else wanted.with_name(f"{wanted.name}-{number}") for number in count(number + 1))
    return next(path for path in names if not os.path.lexists(path))


def _check_writable(folder: Path) -> None:
    existing = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK):
        raise UserError(_not_writable(folder, "permission denied" if existing.is_dir() else "a file is in the way"))


def _not_writable(folder: Path, why: str | None) -> str:
    return f"save_checkpoint_path: {folder} cannot be written ({why}): give --save_checkpoint_path FOLDER"
