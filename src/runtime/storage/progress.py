"""Progress of a transfer: a bar on a terminal, elsewhere a line in the log now and then."""

from __future__ import annotations

import threading
import time
from datetime import timedelta

from tqdm import tqdm

from src.runtime.logs import get_logger
from src.runtime.terminal import progress_shown

LOG_INTERVAL = 30.0  # seconds between two lines
MEGABYTE = 1e6


class TransferProgress:
    """Counter of transferred bytes and files, fed by many threads.

    Args:
        title: what is transferred, "download s3://bucket/data".
        num_files, num_bytes: in all.
        quiet: show nothing.
    """

    def __init__(self, title: str, num_files: int, num_bytes: int, *, quiet: bool = False):
        self._shown = progress_shown() and not quiet
        self._logs = not progress_shown() and not quiet
        self._title, self._num_files, self._num_bytes = title, num_files, num_bytes
        self._lock = threading.Lock()
        self._files = self._bytes = 0
        self._start = self._logged = time.monotonic()
        self._bar = tqdm(total=num_bytes, desc=title, unit="B", unit_scale=True, leave=False, disable=not self._shown)
        if num_files and not quiet:
            get_logger().info("%s: %d files, %s MB", title, num_files, _megabytes(num_bytes))

    def add_bytes(self, number: int) -> None:
        """Count transferred bytes; negative for those of an attempt that failed."""
        with self._lock:
            self._bytes += number
            self._bar.update(number)
            now = time.monotonic()
            if now - self._logged < LOG_INTERVAL or not self._logs:
                return
            self._logged = now
        get_logger().info(self.line())

    def add_file(self) -> None:
        """Count a complete file."""
        with self._lock:
            self._files += 1

    def line(self) -> str:
        """Files, bytes, rate and remaining time."""
        rate = self._rate
        left = timedelta(seconds=round((self._num_bytes - self._bytes) / rate)) if rate else "unknown time"
        return (
            f"{self._title}: {self._files} of {self._num_files} files, {_megabytes(self._bytes)} of "
            f"{_megabytes(self._num_bytes)} MB, {_megabytes(rate)} MB/s, {left} left"
        )

    def close(self) -> str:
        """Remove the bar; returns what was done, with its rate."""
        self._bar.close()
        seconds = max(time.monotonic() - self._start, 1e-3)
        return (
            f"{self._title}: {self._files} of {self._num_files} files, {_megabytes(self._bytes)} MB in {seconds:.1f} s "
            f"({_megabytes(self._bytes / seconds)} MB/s)"
        )

    @property
    def _rate(self) -> float:
        """Bytes per second."""
        return self._bytes / max(time.monotonic() - self._start, 1e-3)


def _megabytes(number: float) -> str:
    return f"{number / MEGABYTE:.1f}"
