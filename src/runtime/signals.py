"""Stop requests: SIGTERM and Ctrl-C, handled by the training loop between two steps."""

from __future__ import annotations

import os
import signal

from src.runtime.logs import get_logger

STOPPED_EXIT_CODE = 143


class StopRequest:
    """Context that catches SIGTERM and SIGINT; a second signal raises KeyboardInterrupt.

    SIGHUP, sent when the terminal closes, is logged only: the training continues as under nohup.

    `requested` is the name of the signal received, "" if none.
    """

    _SIGNALS = (signal.SIGTERM, signal.SIGINT)

    def __init__(self) -> None:
        self.requested = ""
        self._previous: dict[int, object] = {}

    def __enter__(self) -> StopRequest:
        self._previous = {number: signal.signal(number, self._note) for number in self._SIGNALS}
        if hasattr(signal, "SIGHUP"):  # not on Windows
            self._previous[signal.SIGHUP] = signal.signal(signal.SIGHUP, _terminal_closed)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def _note(self, number: int, _frame: object) -> None:
        if self.requested:
            raise KeyboardInterrupt
        self.requested = signal.Signals(number).name


def _terminal_closed(_number: int, _frame: object) -> None:
    get_logger().warning("the terminal has closed (SIGHUP): the run continues, kill %d stops it", os.getpid())
