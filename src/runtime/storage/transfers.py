"""Transfers of files and folders between this machine and a bucket, parallel and resumable.

A file appears under its name when it is complete; what is there already is not transferred again.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from src.config import UserError
from src.runtime.files import complete_file, partial_files, remove_all_leftovers
from src.runtime.storage.client import MAX_THREADS
from src.runtime.storage.content import PART_BYTES, is_downloaded, is_uploaded
from src.runtime.storage.errors import remote_errors
from src.runtime.storage.listing import RemoteFile, find_file, list_files, path_in
from src.runtime.storage.location import Location
from src.runtime.storage.parallel import Transfer, run_transfers
from src.runtime.storage.retry import retried

Count = Callable[[int], None]
COPY_BYTES = 1 << 20  # read from the network at a time


def download_tree(
    client: Any, source: Location, target: Path, wanted: Callable[[str], bool] = lambda _name: True
) -> str:
    """Download a folder's files into `target`; returns a line that says so.

    Args:
        wanted: of the names below `source`, those to download.

    Raises:
        UserError: nothing there, a key that is no path inside `target`, no space, and see `remote_errors`.
        RemoteFault: files failed after all attempts.
    """
    files = [file for file in list_files(client, source) if wanted(file.name)]
    if not files:
        raise UserError(f"{source}: no such folder, or it is empty: check the path")
    return _download(client, f"download {source}", {path_in(target, file.name): file for file in files}, target)


def download_file(client: Any, source: Location, target: Path) -> str:
    """Download one object; returns a line that says so.

    Raises:
        UserError, RemoteFault: see `download_tree`.
    """
    return _download(client, f"download {source}", {target: find_file(client, source)}, target.parent)


def _download(client: Any, title: str, files: Mapping[Path, RemoteFile], target: Path) -> str:
    missing = {path: file for path, file in files.items() if not is_downloaded(path, file)}
    with remote_errors(next(iter(files.values())).location, target):
        target.mkdir(parents=True, exist_ok=True)
        for folder in {path.parent for path in missing}:
            remove_all_leftovers(folder)
        _check_space(target, sum(file.size for file in missing.values()))
    threads = _threads_per_file(file.size for file in missing.values())
    transfers = [
        Transfer(file.name, file.size, partial(_fetch, client, file, path, threads)) for path, file in missing.items()
    ]
    return run_transfers(title, transfers) + _already(len(files) - len(missing))


def _check_space(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise UserError(
            f"{folder}: no space: {needed / 1e9:.3f} GB are to come, {free / 1e9:.3f} GB are free: choose a larger "
            "disk (data_path, output_path, load_path)"
        )


def _already(number: int) -> str:
    return f", {number} already there" if number else ""


def _threads_per_file(sizes: Iterable[int]) -> int:
    """Threads for the parts of one large file, so that all files together have about MAX_THREADS."""
    num_large = sum(size > PART_BYTES for size in sizes)
    return max(2, MAX_THREADS // max(num_large, 1))


def _fetch(client: Any, file: RemoteFile, path: Path, threads: int, count: Count) -> None:
    place = file.location
    with remote_errors(place, path), complete_file(path, clean=False) as unfinished:
        if file.size > PART_BYTES:
            settings = _part_settings(threads)
            client.download_file(place.bucket, place.key, str(unfinished), Callback=count, Config=settings)
        else:
            _fetch_small(client, place, unfinished, count)
        moment = file.modified.timestamp()
        os.utime(unfinished, (moment, moment))


def _fetch_small(client: Any, place: Location, path: Path, count: Count) -> None:
    body = client.get_object(Bucket=place.bucket, Key=place.key)["Body"]
    with path.open("wb") as file:
        while data := body.read(COPY_BYTES):
            file.write(data)
            count(len(data))


def _part_settings(threads: int) -> Any:
    from boto3.s3.transfer import TransferConfig

    return TransferConfig(multipart_threshold=PART_BYTES, multipart_chunksize=PART_BYTES, max_concurrency=threads)


def upload_tree(client: Any, folder: Path, target: Location) -> str:
    """Upload a folder's files, except unfinished ones; returns a line that says so.

    Raises:
        UserError: `folder` is missing, and see `remote_errors`.
        RemoteFault: files failed after all attempts.
    """
    if not folder.is_dir():
        raise UserError(f"{folder}: no such folder to upload")
    there = {file.name: file for file in list_files(client, target)}
    unfinished = set(partial_files(folder))
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file() and path not in unfinished]
    names = {path.relative_to(folder).as_posix(): path for path in paths}
    new = {name: path for name, path in names.items() if not is_uploaded(path, there.get(name))}
    return upload_files(client, new, target) + _already(len(names) - len(new))


def upload_files(client: Any, files: Mapping[str, Path | BinaryIO], target: Location, *, quiet: bool = False) -> str:
    """Upload files, {name below target: path or open file}; returns a line that says so.

    An open file is uploaded as it was opened, even if another one has taken its name since; a path that has vanished
    is left out.

    Args:
        quiet: without a display of the progress.

    Raises:
        UserError, RemoteFault: see `upload_tree`.
    """
    sizes = {name: _size(file) for name, file in files.items()}
    threads = _threads_per_file(sizes.values())
    transfers = [
        Transfer(name, sizes[name], partial(_send, client, file, target / name, threads))
        for name, file in files.items()
    ]
    return run_transfers(f"upload {target}", transfers, quiet=quiet)


def _size(file: Path | BinaryIO) -> int:
    try:
        return file.stat().st_size if isinstance(file, Path) else os.fstat(file.fileno()).st_size
    except FileNotFoundError:
        return 0


def _send(client: Any, file: Path | BinaryIO, place: Location, threads: int, count: Count) -> None:
    if isinstance(file, Path):
        with suppress(FileNotFoundError), remote_errors(place, file), file.open("rb") as opened:
            _send(client, opened, place, threads, count)
        return None
    with remote_errors(place):
        file.seek(0)
        content = file.read(PART_BYTES + 1)
        if len(content) <= PART_BYTES:
            # Read before it is sent: a log that grows meanwhile would exceed the length that was announced.
            client.put_object(Bucket=place.bucket, Key=place.key, Body=content)
            return count(len(content))
        file.seek(0)
        settings = _part_settings(threads)
        return client.upload_fileobj(_Unclosed(file), place.bucket, place.key, Callback=count, Config=settings)


class _Unclosed:
    """An open file that boto3, which closes what it has sent, leaves open for another attempt."""

    def __init__(self, file: BinaryIO):
        self.read, self.seek, self.tell = file.read, file.seek, file.tell


def make_folder(client: Any, folder: Location) -> None:
    """Create the folder's marker object, as consoles do: it shows the folder, and that writing is allowed.

    Raises:
        UserError, RemoteFault: see `remote_errors`.
    """
    if folder.prefix:
        retried(lambda: _put_marker(client, folder))


def _put_marker(client: Any, folder: Location) -> None:
    with remote_errors(folder):
        client.put_object(Bucket=folder.bucket, Key=folder.prefix, Body=b"")
