"""Fetching of a job's data set, checkpoint and earlier results from their bucket."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from src.runtime.logs import console_log
from src.runtime.modelarts.paths import JobPaths, on_one_server
from src.runtime.run_folder import RunFolder, choose_run_folder, run_number
from src.runtime.storage import (
    Location,
    RemoteFile,
    connect,
    download_file,
    download_tree,
    list_files,
    make_folder,
)
from src.runtime.storage.errors import remote_errors

_NUMBERED = re.compile(r"-\d+_\d+\.ckpt$")  # a continued run needs last.ckpt and best.ckpt only


def fetch(paths: JobPaths, run: Path | None, resume: str) -> str:
    """Bring what is remote to its local place; returns one line that says what came.

    Args:
        run: where the results will be, to be numbered after or continued from those in the bucket; None: neither.
        resume: of the command; see `choose_run_folder`.

    Raises:
        UserError, RemoteFault: see `download_tree`.
    """
    places = (paths.data, paths.checkpoint, paths.results)
    client, done = connect(*(place for place in places if place is not None)), []
    with console_log():
        if paths.results is not None:
            make_folder(client, paths.results)
            with remote_errors(paths.results, paths.output_folder):
                paths.output_folder.mkdir(parents=True, exist_ok=True)
        if paths.data is not None:
            done.append(_fetch_data(client, paths.data, paths.data_folder))
        if paths.checkpoint is not None:
            done.append(download_file(client, paths.checkpoint, paths.checkpoint_file))
        if paths.results is not None and run is not None:
            done += _fetch_results(client, paths, run, resume)
    return "; ".join(done)


def _fetch_data(client: Any, source: Location, folder: Path) -> str:
    if source.key.endswith(".tar"):
        return download_file(client, source, folder / source.name)
    return download_tree(client, source, folder)


def _fetch_results(client: Any, paths: JobPaths, run: Path, resume: str) -> list[str]:
    """Bring down the run to continue; of the others of its name only the configuration, so that none is overwritten."""
    parent = run.parent.relative_to(paths.output_folder).parts
    source = Location(paths.results.scheme, paths.results.bucket, "/".join([*_parts(paths.results.key), *parent]))
    files = list_files(client, source)
    names = {file.name.partition("/")[0] for file in files if "/" in file.name}
    for folder in (RunFolder(run.parent / name) for name in names if run_number(run.name, name)):
        folder.root.mkdir(parents=True, exist_ok=True)
        told = f"{folder.root.name}/{folder.config.name}"
        if any(file.name == told for file in files) and not folder.config.exists():
            download_file(client, source / told, folder.config)
    if resume != "auto":
        return []
    folder, _ = choose_run_folder(str(run.parent), run.name, "auto")
    if folder.root.name not in names or _is_newer_here(folder, files):
        return []
    return [download_tree(client, source / folder.root.name, folder.root, lambda name: not _NUMBERED.search(name))]


def _parts(key: str) -> list[str]:
    return [key] if key else []


def _is_newer_here(folder: RunFolder, files: list[RemoteFile]) -> bool:
    """Whether the last checkpoint here is newer than the bucket's.

    With several servers the bucket's always counts: all of them must continue from the same one.
    """
    name = folder.last.relative_to(folder.root.parent).as_posix()
    modified = next((file.modified.timestamp() for file in files if file.name == name), 0.0)
    return on_one_server() and folder.last.exists() and folder.last.stat().st_mtime > modified
