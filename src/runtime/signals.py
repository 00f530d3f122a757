"""Stop requests: SIGTERM and Ctrl-C, handled by the training loop between two steps."""

from __future__ import annotations

import signal

STOPPED_EXIT_CODE = 143


class StopRequest:
    """Context that catches SIGTERM and SIGINT; a second signal raises KeyboardInterrupt.

    `requested` is the name of the signal received, "" if none.
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
