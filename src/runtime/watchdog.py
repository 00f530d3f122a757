"""Watchdog for calls into the framework that may never return."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread

FAULT = 1
LOOKS = 10  # checks of the clock within the time limit of a call


class Watchdog:
    """Thread that ends the process with exit code 1 and one line on standard error when a call exceeds its time limit.

    A thread blocked inside the framework can be neither interrupted nor ended.

    Args:
        seconds: time limit of one call; 0: no limit.
        message: gives the line to print.
    """

    def __init__(self, seconds: float, message: Callable[[], str]):
        self._seconds, self._message = seconds, message
        self._began: float | None = None
        self._closed = Event()
        if seconds:
            Thread(target=self._watch, name="watchdog", daemon=True).start()

    @contextmanager
    def call(self) -> Iterator[None]:
        """Context of one call, in which the clock runs."""
        self._began = time.monotonic()
        try:
            yield
        finally:
            self._began = None

    def close(self) -> None:
        """Stop watching."""
        self._closed.set()

    def _watch(self) -> None:
        while not self._closed.wait(self._seconds / LOOKS):
            began = self._began
            if began is not None and time.monotonic() - began > self._seconds:
                print(f"error: {self._message()}", file=sys.stderr, flush=True)
                os._exit(FAULT)
