"""Progress display on interactive terminals."""

from __future__ import annotations

import sys
import threading

from tqdm import tqdm


def progress_shown() -> bool:
    """Whether progress bars are drawn: on a terminal only, since they would clutter a file."""
    return sys.stderr.isatty()


class ElapsedTime:
    """Line with the elapsed time of a silent job, shown from `start` to `stop`."""

    def __init__(self, text: str, shown: bool):
        self._line = tqdm(desc=text, bar_format="{desc} {elapsed}", leave=False, disable=not shown)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._refresh, daemon=True)

    def start(self) -> None:
        """Draw the line and keep it updated."""
        self._thread.start()

    def stop(self) -> None:
        """Clear the line; may be called more than once."""
        self._stopped.set()
        self._thread.join()
        self._line.close()

    def _refresh(self) -> None:
        while not self._stopped.wait(0.5):
            self._line.refresh()
