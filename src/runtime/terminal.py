"""What is drawn for somebody who watches."""

from __future__ import annotations

import sys
import threading

from tqdm import tqdm


def progress_shown() -> bool:
    """Progress bars are drawn on a terminal only; in a file they would be noise."""
    return sys.stderr.isatty()


class ElapsedTime:
    """A line with the seconds that a silent job has taken so far, from `start` to `stop`."""

    def __init__(self, text: str, shown: bool):
        self._line = tqdm(desc=text, bar_format="{desc} {elapsed}", leave=False, disable=not shown)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._refresh, daemon=True)

    def start(self) -> None:
        """Draw the line and keep it up to date."""
        self._thread.start()

    def stop(self) -> None:
        """Wipe the line; may be called again."""
        self._stopped.set()
        self._thread.join()
        self._line.close()

    def _refresh(self) -> None:
        while not self._stopped.wait(0.5):
            self._line.refresh()
