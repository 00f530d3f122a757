"""Comparison of a local file with an object by what the listing says: nothing that is there is transferred again."""

from __future__ import annotations

import hashlib
from pathlib import Path

from src.runtime.storage.listing import RemoteFile

PART_BYTES = 8 << 20  # of a multipart upload; its ETag depends on it


def is_downloaded(path: Path, remote: RemoteFile) -> bool:
    """Whether the file has the object's content: its size, and its time (set after a download) or its ETag."""
    if not path.is_file() or path.stat().st_size != remote.size:
        return False
    return int(path.stat().st_mtime) == int(remote.modified.timestamp()) or etag_of(path) == remote.etag


def is_uploaded(path: Path, remote: RemoteFile | None) -> bool:
    """Whether the object has the file's content: its size and its ETag.

    Not its time: a checkpoint keeps its size when it is replaced, and the clocks of two machines differ.
    """
    return remote is not None and path.stat().st_size == remote.size and etag_of(path) == remote.etag


def etag_of(path: Path) -> str:
    """The ETag that the service gives to this content: MD5, or that of the parts' MD5s for a multipart upload."""
    digests = []
    with path.open("rb") as file:
        while part := file.read(PART_BYTES):
            digests.append(hashlib.md5(part, usedforsecurity=False).digest())
    if len(digests) <= 1:
        return (digests[0] if digests else hashlib.md5(usedforsecurity=False).digest()).hex()
    return f"{hashlib.md5(b''.join(digests), usedforsecurity=False).hexdigest()}-{len(digests)}"
