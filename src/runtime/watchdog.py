"""A watchdog for calls into the framework that may never return."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread

FAULT = 1
LOOKS = 10  # of its thread at the clock, in the time that a call may take


class Watchdog:
    """Ends the process with exit code 1 and one line when a call takes too long; 0 seconds: never.

    A thread that waits inside the framework can be neither interrupted nor ended.

    Args:
        seconds: that one call may take.
        message: the line, asked for when it is needed.
    """

    def __init__(self, seconds: float, message: Callable[[], str]):
        self._seconds, self._message = seconds, message
        self._began: float | None = None
        self._closed = Event()
        if seconds:
            Thread(target=self._watch, name="watchdog", daemon=True).start()

    @contextmanager
    def call(self) -> Iterator[None]:
        """Inside, the clock runs."""
        self._began = time.monotonic()
        try:
            yield
        finally:
            self._began = None

    def close(self) -> None:
        """Watch no longer."""
        self._closed.set()

    def _watch(self) -> None:
        while not self._closed.wait(self._seconds / LOOKS):
            began = self._began
            if began is not None and time.monotonic() - began > self._seconds:
                print(f"error: {self._message()}", file=sys.stderr, flush=True)
                os._exit(FAULT)
