"""Parallel work on many files, each retried after the service's faults."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from src.config import RemoteFault
from src.config.errors import few_names
from src.runtime.storage.client import MAX_THREADS
from src.runtime.storage.progress import TransferProgress
from src.runtime.storage.retry import retried

MAX_FAULTS = MAX_THREADS  # files that fail before the others are given up


@dataclass(frozen=True)
class Transfer:
    """One file's transfer.

    Attributes:
        name: for the list of errors.
        size: bytes.
        run: does it; handed a counter of bytes. May be called again after a RemoteFault.
    """

    name: str
    size: int
    run: Callable[[Callable[[int], None]], None]


def run_transfers(title: str, transfers: Sequence[Transfer], *, quiet: bool = False) -> str:
    """Do all transfers; returns a line that says so.

    Raises:
        UserError: the first one; the transfers that have not begun by then are left out.
        RemoteFault: files failed after all attempts; the message names them.
    """
    progress = TransferProgress(title, len(transfers), sum(each.size for each in transfers), quiet=quiet)
    worker = _Worker(progress)
    pool = ThreadPoolExecutor(MAX_THREADS, thread_name_prefix="transfer")
    try:
        futures = [pool.submit(worker.transfer, each) for each in transfers]
        for future in futures:
            future.result()
    finally:
        worker.given_up.set()  # only after an error is something left
        pool.shutdown(cancel_futures=True)
        summary = progress.close()
    if worker.faults:
        faults = [str(fault) for _, fault in sorted(worker.faults.items())]
        raise RemoteFault(f"{summary}; failed: {few_names(faults, most=3, separator='; ')}")
    return summary


class _Worker:
    """The work of the threads, and the faults that they met, {name: fault}."""

    def __init__(self, progress: TransferProgress):
        self._progress = progress
        self.faults: dict[str, RemoteFault] = {}
        self.given_up = threading.Event()

    def transfer(self, transfer: Transfer) -> None:
        if self.given_up.is_set():
            return
        try:
            retried(lambda: self._attempt(transfer), lambda: not self.given_up.is_set())
            self._progress.add_file()
        except RemoteFault as fault:
            self.faults[transfer.name] = fault
            if len(self.faults) >= MAX_FAULTS:
                self.given_up.set()
        except BaseException:
            self.given_up.set()
            raise

    def _attempt(self, transfer: Transfer) -> None:
        counter = _Counter(self._progress)
        try:
            transfer.run(counter.add)
        except RemoteFault:
            counter.take_back()
            raise


class _Counter:
    """Bytes of one attempt."""

    def __init__(self, progress: TransferProgress):
        self._progress, self._bytes = progress, 0

    def add(self, number: int) -> None:
        self._bytes += number
        self._progress.add_bytes(number)

    def take_back(self) -> None:
        self._progress.add_bytes(-self._bytes)
