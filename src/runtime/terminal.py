"""Output of the commands: it survives its reader and any character; progress display on interactive terminals."""

from __future__ import annotations

import io
import os
import sys
import threading
import unicodedata
from pathlib import Path

from tqdm import tqdm

# Category C without the format characters of right names (joiners), and what breaks a line.
_UNPRINTABLE = {"Cc", "Cs", "Zl", "Zp"}
_DIRECTIONS = set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def printable(text: str | Path) -> str:
    """The text or path in one line: control characters, direction marks and undecodable bytes as backslash escapes.

    Names of files and classes come from outside: they must not forge a line or command the terminal.
    """
    text = str(text)
    if text.isprintable():
        return text
    return "".join(_escaped(letter) for letter in text)


def say(line: str) -> None:
    """Print one line; see `printable`."""
    print(printable(line))


def _escaped(letter: str) -> str:
    if unicodedata.category(letter) not in _UNPRINTABLE and letter not in _DIRECTIONS:
        return letter
    return letter.encode("unicode_escape").decode("ascii")


class LastingOutput(io.TextIOWrapper):
    """Text stream over a file descriptor that is dropped when writing fails: the command continues without it.

    Characters that the encoding lacks are written as backslash escapes.
    """

    def __init__(self, stream: io.TextIOWrapper):
        settings = {"encoding": stream.encoding, "line_buffering": stream.line_buffering}
        super().__init__(stream.buffer, errors="backslashreplace", **settings)
        self._original = stream  # it would close the descriptor with its end

    def write(self, text: str) -> int:
        try:
            return super().write(text)
        except (OSError, ValueError):
            self._drop()
            return len(text)

    def flush(self) -> None:
        try:
            super().flush()
        except (OSError, ValueError):
            self._drop()

    def _drop(self) -> None:
        """Send this and all further output to nowhere: a closed pipe or terminal, a full disk."""
        if self.closed:
            return
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self.fileno())
        os.close(nowhere)


def make_output_last() -> None:
    """Replace standard output and error by streams that never raise; captured ones stay as they are."""
    _occupy_standard_descriptors()
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # started with `>&-`
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115 (for the whole process)
        elif type(stream) is io.TextIOWrapper and not stream.closed:
            setattr(sys, name, LastingOutput(stream))


def _occupy_standard_descriptors() -> None:
    """No file of ours may become descriptor 1 or 2, to which libraries print, if the caller has closed them."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(descriptor)


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
