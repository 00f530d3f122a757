"""SIGTERM and Ctrl-C as a request that the training loop answers between two steps."""

from __future__ import annotations

import signal

STOPPED_EXIT_CODE = 143


class StopRequest:
    """Catches SIGTERM and SIGINT while it is entered; a second signal ends the process at once.

    `requested` is the signal's name, "" until one came.
    """

    _SIGNALS = (signal.SIGTERM, signal.SIGINT)

    def __init__(self) -> None:
        self.requested = ""
        self._previous: dict[int, object] = {}

    def __enter__(self) -> StopRequest:
        self._previous = {number: signal.signal(number, self._note) for number in self._SIGNALS}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def _note(self, number: int, _frame: object) -> None:
        if self.requested:
            raise KeyboardInterrupt
        self.requested = signal.Signals(number).name
