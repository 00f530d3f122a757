"""Process of a job under its launcher: started with its own log, watched, and asked for its last words."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import psutil

STOPPED_LIMIT = 30.0  # seconds that a process may be stopped (SIGSTOP) before the job is given up
TAIL_BYTES = 65_536  # of a failed rank's log, searched for its message
TAIL_LINES = 30
TRACEBACK = "Traceback (most recent call last)"
# Notes of the framework's connections at a rank's end, which no log level silences. They stay in the rank's log.
NOISE = b"[INFO] DISTRIBUTED("
_PR_SET_PDEATHSIG = 1


@dataclass
class Process:
    """A started process.

    Attributes:
        name: for messages and the log's name, `rank 3` or `scheduler`.
        log: where its output goes.
        stopped_since: when it was first seen stopped; None while it runs.
    """

    name: str
    popen: subprocess.Popen
    log: Path
    copier: threading.Thread
    stopped_since: float | None = None
    failure: str = field(default="", init=False)

    def look(self) -> bool:
        """Whether it has failed by now, with `failure` saying how."""
        code = self.popen.poll()
        if code is not None:
            self.failure = "" if code == 0 else _ending(code)
        elif _is_stopped(self.popen.pid):
            self.stopped_since = self.stopped_since or time.monotonic()
            if time.monotonic() - self.stopped_since > STOPPED_LIMIT:
                self.failure = f"has been stopped (SIGSTOP) for {STOPPED_LIMIT:g} s"
        else:
            self.stopped_since = None
        return bool(self.failure)

    def signal_group(self, number: int) -> None:
        """Signal it and whatever it has started."""
        with suppress(ProcessLookupError):
            os.killpg(self.popen.pid, number)

    def last_words(self) -> str:
        """The message in its log's end; "" if it has written nothing."""
        with self.log.open("rb") as file:
            file.seek(max(0, self.log.stat().st_size - TAIL_BYTES))
            lines = [line for line in file.read().splitlines() if not line.startswith(NOISE)]
        return "\n".join(message_of([line.decode("utf-8", "replace") for line in lines]))


def message_of(lines: list[str]) -> list[str]:
    """The last `error:` line, or the end of the last traceback and the beginning of its message; else the last lines.

    The framework's messages go on for pages of its own calls.
    """
    beginnings = [number for number, line in enumerate(lines) if line.startswith(("error: ", TRACEBACK))]
    if not beginnings:
        return lines[-TAIL_LINES:]
    lines = lines[beginnings[-1] :]
    frames = 1 if lines[0].startswith(TRACEBACK) else 0
    message = next((number for number, line in enumerate(lines[frames:], frames) if not line.startswith(" ")), frames)
    return [*lines[:frames], *lines[frames:message][-TAIL_LINES // 2 :], *lines[message:][: TAIL_LINES // 2]]


def _ending(code: int) -> str:
    return f"ended with exit code {code}" if code > 0 else f"was ended by {signal.Signals(-code).name}"


def _is_stopped(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_STOPPED
    except psutil.Error:
        return False


def start_process(
    name: str, command: Sequence[str], environment: dict[str, str], log: Path, shown: BinaryIO | None
) -> Process:
    """Start a process that ends with this one.

    Args:
        log: receives its output.
        shown: receives it as well, without the framework's notes.
    """
    popen = subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        preexec_fn=end_with_parent,  # noqa: PLW1509 (no other thread holds a lock that it could need)
    )
    copier = threading.Thread(target=_copy, args=(popen.stdout, log, shown), daemon=True)
    copier.start()
    return Process(name, popen, log, copier)


def end_with_parent() -> None:
    """For a process that has just been started: Linux ends it when its parent ends, however that happens."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _copy(source: BinaryIO, log: Path, shown: BinaryIO | None) -> None:
    held = b""
    with log.open("wb", buffering=0) as file:
        while data := os.read(source.fileno(), 65_536):
            file.write(data)
            if shown is not None:
                text, held = without_noise(held + data)
                try:
                    shown.write(text)
                    shown.flush()
                except OSError:  # the terminal has closed, or what read the output; the rank goes on
                    shown = None


def without_noise(data: bytes) -> tuple[bytes, bytes]:
    """(what is to be shown, an unfinished line that may become a note).

    Other unfinished lines are shown at once: they may be a progress bar.
    """
    *lines, rest = data.split(b"\n")
    shown = b"".join(line + b"\n" for line in lines if not line.startswith(NOISE))
    if rest.startswith(NOISE) or (rest and NOISE.startswith(rest)):
        return shown, rest
    return shown + rest, b""
