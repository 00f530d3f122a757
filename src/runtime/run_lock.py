"""Lock of a run folder: one training at a time writes to it, and a dead one no longer holds it."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from io import TextIOWrapper
from pathlib import Path

from src.config import UserError

try:
    import fcntl
except ImportError:  # Windows: run folders are not locked
    fcntl = None

LOCK_NAME = ".lock"
_TAKEN = {errno.EWOULDBLOCK, errno.EACCES}


class RunLock:
    """Context in which this process may hold the lock of one run folder.

    The operating system frees it with the process, however that ends. A file system without locks is used unlocked.
    """

    def __init__(self) -> None:
        self._file: TextIOWrapper | None = None
        self._root: Path | None = None

    def __enter__(self) -> RunLock:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()
        self._file = self._root = None

    def hold(self, root: Path) -> None:
        """Lock an existing run folder; UserError while another process holds it, and if it is read-only."""
        if self._root == root or fcntl is None:
            return
        try:
            file = open(root / LOCK_NAME, "a+", encoding="utf-8")  # noqa: SIM115 (open as long as it is held)
        except OSError as error:
            raise UserError(f"run folder {root} cannot be written ({error.strerror}): give another --name") from None
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in _TAKEN:
                raise UserError(_taken(root, file)) from None
        self._file, self._root = file, root
        with suppress(OSError):  # the number only serves the message
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()


def _taken(root: Path, file: TextIOWrapper) -> str:
    with file:
        file.seek(0)
        owner = file.read(20)
    process = f" (process {owner})" if owner.isdigit() else ""
    return f"run folder {root} belongs to a training that still runs{process}: wait for its end, or give another --name"
