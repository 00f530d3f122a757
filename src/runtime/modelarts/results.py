"""Results of a job on their way to the bucket, while they grow and at the end."""

from __future__ import annotations

import logging
import os
import re
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from src.config import RemoteFault, UserError
from src.config.errors import few_names
from src.config.schema import CloudConfig
from src.runtime.files import partial_files
from src.runtime.logs import get_logger, log_to_file
from src.runtime.run_lock import LOCK_NAME
from src.runtime.session import Session
from src.runtime.storage import Location, connect, is_remote, list_files, parse_location, upload_files
from src.runtime.storage.content import is_uploaded

CHECKPOINT = ".ckpt"
_RANK_FOLDER = re.compile(r"rank_\d+/")

Signature = tuple[int, int, int]  # inode, size, modification time: of one content of a file


@contextmanager
def results_uploaded(cloud: CloudConfig, session: Session) -> Iterator[None]:
    """Context in which the results go to train_url, every `upload_interval` seconds and at its end, whatever ends it.

    A signal that Python handles, such as SIGTERM, has them uploaded at once: a rank that waits for another one, which
    has failed, never gets to its end.

    Only rank 0 uploads the results. Every other rank uploads a log of its own, rank_<N>/rank.log. Without a remote
    train_url nothing happens.

    Raises:
        UserError, RemoteFault: the last upload failed; after an error of the work itself that is only logged.
    """
    if not (cloud.enable_modelarts and is_remote(cloud.train_url)):
        yield
        return
    upload = _upload_of(cloud, session)
    upload.start()
    try:
        yield
    except BaseException as error:
        get_logger().error("rank %d: %s: %s", session.rank, type(error).__name__, error)
        upload.finish_anyway()
        raise
    upload.finish()


def _upload_of(cloud: CloudConfig, session: Session) -> ResultsUpload:
    folder, target = Path(cloud.output_path), parse_location(cloud.train_url, "train_url")
    if session.is_main:
        return ResultsUpload(folder, target, cloud.upload_interval, lambda name: not _RANK_FOLDER.match(name))
    own = folder / f"rank_{session.rank}"
    own.mkdir(parents=True, exist_ok=True)
    log_to_file(own / "rank.log")
    get_logger().setLevel(logging.INFO)
    get_logger().info("rank %d of %d", session.rank, session.num_ranks)
    return ResultsUpload(own, target / own.name, cloud.upload_interval)


class ResultsUpload:
    """Uploads of what is new in a folder, from a thread of its own.

    It is created in the main thread, which alone may ask to be told of signals.

    Args:
        interval: seconds between two uploads.
        wanted: of the names below the folder, those to upload.
    """

    def __init__(
        self, folder: Path, target: Location, interval: float, wanted: Callable[[str], bool] = lambda _name: True
    ):
        self._folder, self._target, self._interval, self._wanted = folder, target, interval, wanted
        self._client = connect(target)
        self._uploaded: dict[str, Signature] | None = None  # None: what is in the bucket is not known yet
        self._ended = threading.Event()
        self._woken, self._wake = socket.socketpair()  # a byte for each signal, also while the main thread is blocked
        self._thread = threading.Thread(target=self._watch, name="results upload", daemon=True)

    def start(self) -> None:
        """Begin to upload."""
        get_logger().info("results go to %s every %g s and at the end", self._target, self._interval)
        self._woken.settimeout(self._interval)
        self._wake.setblocking(False)
        signal.set_wakeup_fd(self._wake.fileno(), warn_on_full_buffer=False)
        self._thread.start()

    def finish(self) -> None:
        """Upload the rest; UserError or RemoteFault if that fails."""
        signal.set_wakeup_fd(-1)
        self._ended.set()
        self._wake.close()
        self._thread.join()
        self._woken.close()
        get_logger().info("results are in %s", self._target)  # before it is so, to be in the log there
        try:
            self.upload_new()
        except (UserError, RemoteFault) as error:
            raise type(error)(f"the results are in {self._folder} only: {error}") from None

    def finish_anyway(self) -> None:
        """Upload the rest; a failure is logged."""
        try:
            self.finish()
        except (UserError, RemoteFault) as error:
            get_logger().error("%s", error)

    def _watch(self) -> None:
        while not self._wait():
            try:
                checkpoints = [name for name in self.upload_new() if name.endswith(CHECKPOINT)]
            except Exception as error:  # noqa: BLE001 (no fault of the upload may end the training)
                get_logger().warning("results not uploaded, tried again in %g s: %s", self._interval, error)
                continue
            if checkpoints:
                get_logger().info("uploaded %s to %s", few_names(checkpoints), self._target)

    def _wait(self) -> bool:
        """Wait for the next upload's time, or for a signal; returns whether there is none any more."""
        with suppress(TimeoutError):
            self._woken.recv(1)
        return self._ended.is_set()

    def upload_new(self) -> list[str]:
        """Upload what has changed since the last call; returns the names.

        Checkpoints are opened first and sent last: they arrive whole even if replaced meanwhile, and what else is in
        the bucket is never older than the checkpoint from which a restarted job continues.
        """
        files = self._files()
        if self._uploaded is None:
            self._uploaded = self._already_there(files)
        new = {name: path for name, path in files.items() if _signature(path) not in (None, self._uploaded.get(name))}
        with ExitStack() as opened:
            checkpoints, signatures = {}, {}
            for name in sorted(name for name in new if name.endswith(CHECKPOINT)):
                with suppress(FileNotFoundError):  # an old one, removed since
                    checkpoints[name] = opened.enter_context(new[name].open("rb"))
                    signatures[name] = _signed(os.fstat(checkpoints[name].fileno()))
            others = {name: path for name, path in new.items() if not name.endswith(CHECKPOINT)}
            signatures |= {name: _signature(path) for name, path in others.items()}
            for group in (others, checkpoints):
                if group:
                    upload_files(self._client, group, self._target, quiet=True)
                    self._uploaded |= {name: signatures[name] for name in group}
        return list(new)

    def _files(self) -> dict[str, Path]:
        unfinished = set(partial_files(self._folder))
        paths = [
            path
            for path in sorted(self._folder.rglob("*"))
            if path.is_file() and path not in unfinished and path.name != LOCK_NAME
        ]
        named = {path.relative_to(self._folder).as_posix(): path for path in paths}
        return {name: path for name, path in named.items() if self._wanted(name)}

    def _already_there(self, files: dict[str, Path]) -> dict[str, Signature]:
        there = {file.name: file for file in list_files(self._client, self._target)}
        return {name: _signature(path) for name, path in files.items() if is_uploaded(path, there.get(name))}


def _signature(path: Path) -> Signature | None:
    try:
        return _signed(path.stat())
    except FileNotFoundError:
        return None


def _signed(status: os.stat_result) -> Signature:
    return status.st_ino, status.st_size, status.st_mtime_ns
