"""Work done by one process of a server, with its outcome for all of them.

Nothing needs to be known of ranks, which some launchers tell only when the processes have joined.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import stat
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil

from src.config import RemoteFault, UserError
from src.runtime.files import write_atomically

DEADLINE = 24 * 3600.0  # seconds that a process waits for the one at work
POLL = 0.5  # seconds between two looks
HEAD_START = 2.0  # seconds for the process whose output the user sees
SPREAD = 2.0  # seconds between the starts of a job's first and last process on a server
OK, MISTAKE, FAULT = "ok", "error", "fault"
_seen: dict[Path, int] = {}  # modification times of the markers whose outcome this process has taken already


def once_per_server(parts: Sequence[str], work: Callable[[], str]) -> str:
    """Do `work` in the first of a server's processes that gets here; returns its line in all of them.

    The outcome is kept in a marker file, which counts for the processes of this start only: one that is older than
    the process is an earlier job's. Should the process at work be killed, another one takes over.

    Args:
        parts: tell this work from others, such as the job's id, source and target.

    Raises:
        UserError, RemoteFault: the work's, in every process. RemoteFault: no outcome before the deadline.
    """
    marker = _marker(parts)
    if os.environ.get("DEVICE_ID", "0") != "0":
        time.sleep(HEAD_START)
    with _alone(marker.with_suffix(".lock")):
        outcome = _outcome_of_this_start(marker)
        if outcome is None:
            outcome = _do(work)
            write_atomically(marker, json.dumps(outcome))
        _seen[marker] = marker.stat().st_mtime_ns
    return _told(*outcome)


def _marker(parts: Sequence[str]) -> Path:
    """The marker's path, in a folder that only this user can write to.

    Raises:
        UserError: another user has made a folder of that name.
    """
    folder = Path(tempfile.gettempdir()) / f"modelarts-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid() or status.st_mode & 0o022:
        raise UserError(f"{folder}: not a folder of this user alone: remove it, or set TMPDIR to another folder")
    digest = hashlib.sha256("\n".join(parts).encode()).hexdigest()
    return folder / f"{digest[:24]}.json"


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Lock that the system releases when its holder ends, however that happens."""
    end = time.monotonic() + DEADLINE
    with lock.open("a") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > end:
                    raise RemoteFault(f"{lock}: another process of this job has worked for {DEADLINE:g} s") from None
                time.sleep(POLL)
        yield


def _outcome_of_this_start(marker: Path) -> tuple[str, str] | None:
    if not marker.exists():
        return None
    written = marker.stat().st_mtime_ns
    if written <= _seen.get(marker, 0) or written / 1e9 < psutil.Process().create_time() - SPREAD:
        return None
    return tuple(json.loads(marker.read_text(encoding="utf-8")))


def _do(work: Callable[[], str]) -> tuple[str, str]:
    try:
        return OK, work()
    except UserError as error:
        return MISTAKE, str(error)
    except RemoteFault as error:
        return FAULT, str(error)


def _told(status: str, text: str) -> str:
    if status == OK:
        return text
    raise (UserError if status == MISTAKE else RemoteFault)(text)
