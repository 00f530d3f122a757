"""Tar archive of class folders, unpacked once: completely or not at all."""

from __future__ import annotations

import fcntl
import os
import shutil
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from tqdm import tqdm

from src.config import UserError
from src.datasets.sources.picture_files import is_junk
from src.runtime.terminal import progress_shown

END_OF_ARCHIVE = 1024  # bytes of zeros


def extract_archive(archive: Path) -> Path:
    """Unpack x.tar into the folder x beside it, unless that exists; returns the folder that contains the class folders.

    Archives inside it (ImageNet has one per class) become folders, too. Only one of several processes unpacks; the
    others wait for it.

    Raises:
        UserError: the archive is truncated, has members that do not belong in a data set (links, devices, paths that
            point outside the folder), or its folder is full or write-protected.
    """
    folder = archive.with_suffix("")
    if not folder.is_dir():
        try:
            with _alone(archive):
                if not folder.is_dir():
                    _extract_complete(archive, folder)
        # tarfile raises ValueError and others on damaged headers
        except (tarfile.TarError, ValueError, EOFError, OverflowError) as error:
            raise UserError(f"{archive}: damaged or truncated ({error}): copy it again") from None
        except OSError as error:
            text = f"{archive}: cannot be unpacked into its own folder ({error.strerror or error})"
            raise UserError(f"{text}: unpack it elsewhere and use that folder") from None
    return _class_folder(folder)


@contextmanager
def _alone(archive: Path) -> Iterator[None]:
    """Lock for one process at a time, by a hidden file that remains beside the archive."""
    with open(archive.with_name(f".{archive.name}.lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _extract_complete(archive: Path, folder: Path) -> None:
    partial = archive.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)  # of a process that was killed
    try:
        partial.mkdir()
        with open(archive, "rb") as file:
            _check_end(file)
            with tarfile.open(fileobj=file, mode="r:") as tar, _progress(file) as bar:
                for member in tar:
                    _extract_member(tar, member, partial, archive)
                    bar.update(file.tell() - bar.n)
        os.sync()  # all files are on disk before the folder gets its name
        os.replace(partial, folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _check_end(file) -> None:
    """Raise if the end-of-archive marker is missing: truncated between two members, an archive is otherwise valid."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - END_OF_ARCHIVE))
    if size < END_OF_ARCHIVE or any(file.read()):
        raise tarfile.ReadError("end of archive missing")
    file.seek(0)


def _progress(file) -> tqdm:
    total = os.fstat(file.fileno()).st_size
    return tqdm(total=total, desc="unpacking", unit="B", unit_scale=True, leave=False, disable=not progress_shown())


def _extract_member(
    tar: tarfile.TarFile, member: tarfile.TarInfo, folder: Path, archive: Path, *, is_inner: bool = False
) -> None:
    name = PurePosixPath(member.name)
    if member.issparse():
        raise UserError(f"{archive}: member {member.name} is sparse, as no image is: nothing was unpacked")
    if name.is_absolute() or ".." in name.parts:
        raise UserError(f"{archive}: member {member.name} points outside the folder: nothing was unpacked")
    if not (member.isfile() or member.isdir()):
        raise UserError(f"{archive}: member {member.name} is a link or a device: nothing was unpacked")
    target = folder / name
    if member.isdir():
        target.mkdir(parents=True, exist_ok=True)
        return
    content = tar.extractfile(member)
    if name.suffix == ".tar":
        if is_inner:
            raise UserError(f"{archive}: {member.name} is an archive in an inner archive: nothing was unpacked")
        with tarfile.open(fileobj=content, mode="r:") as inner:
            for inner_member in inner:
                _extract_member(inner, inner_member, target.with_suffix(""), archive, is_inner=True)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    with open(target, "wb") as file:
        shutil.copyfileobj(content, file)


def _class_folder(folder: Path) -> Path:
    """The folder itself, or its only sub-folder if that contains the class folders."""
    inner = [entry for entry in folder.iterdir() if entry.is_dir() and not is_junk(entry.name)]
    if len(inner) == 1 and any(entry.is_dir() for entry in inner[0].iterdir()):
        return inner[0]
    return folder
