"""Listing of the files in a folder of a bucket."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from src.config import UserError
from src.runtime.storage.errors import remote_errors
from src.runtime.storage.location import Location
from src.runtime.storage.retry import retried


@dataclass(frozen=True)
class RemoteFile:
    """An object of a folder.

    Attributes:
        name: its key below the folder's.
        size: bytes.
        etag: of its content, without quotes.
        modified: when it was written.
    """

    location: Location
    name: str
    size: int
    etag: str
    modified: datetime


def list_files(client: Any, folder: Location) -> list[RemoteFile]:
    """The files in a folder at any depth; [] if there are none.

    Folder markers (the objects `folder/` that consoles create) are left out.

    Raises:
        UserError, RemoteFault: see `remote_errors`.
    """
    return retried(lambda: _listed(client, folder))


def find_file(client: Any, place: Location) -> RemoteFile:
    """One object; UserError if it is missing, and see `list_files`."""
    return retried(lambda: _found(client, place))


def _listed(client: Any, folder: Location) -> list[RemoteFile]:
    with remote_errors(folder):
        pages = client.get_paginator("list_objects_v2").paginate(Bucket=folder.bucket, Prefix=folder.prefix)
        return [_file(folder, entry) for page in pages for entry in page.get("Contents", ()) if _is_file(entry)]


def _found(client: Any, place: Location) -> RemoteFile:
    with remote_errors(place):
        head = client.head_object(Bucket=place.bucket, Key=place.key)
    return RemoteFile(place, place.name, head["ContentLength"], head["ETag"].strip('"'), head["LastModified"])


def _is_file(entry: dict[str, Any]) -> bool:
    return not entry["Key"].endswith("/")


def _file(folder: Location, entry: dict[str, Any]) -> RemoteFile:
    name = entry["Key"].removeprefix(folder.prefix)
    location = Location(folder.scheme, folder.bucket, entry["Key"])
    return RemoteFile(location, name, entry["Size"], entry["ETag"].strip('"'), entry["LastModified"])


def path_in(target: Path, name: str) -> Path:
    """Where a file of a folder goes below `target`; UserError for a name that would leave it or be another's."""
    parts = name.split("/")
    if "\0" in name or any(part in ("", ".", "..") for part in parts):
        raise UserError(f"key {name!r} is no path inside {target}: rename the object")
    return target.joinpath(*parts)
