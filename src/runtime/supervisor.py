"""Supervisor: the processes of a job on this server, started together, watched, and ended together."""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import BinaryIO

import psutil

from src.config import UserError
from src.runtime.cluster import Cluster
from src.runtime.entry import DONE, FAULT, USER_ERROR
from src.runtime.signals import STOPPED_EXIT_CODE

POLL = 0.2  # seconds between two looks at the processes
STOPPED_LIMIT = 30.0  # seconds that a process may be stopped (SIGSTOP) before the job is given up
GRACE = 5.0  # seconds that the others have to end after one has failed
TAIL_BYTES = 16_384  # of a failed rank's log, searched for its message
TAIL_LINES = 30
NO_FAULTS = {DONE, USER_ERROR, STOPPED_EXIT_CODE}
FIRST_PAUSE = 5.0  # seconds before the first restart
# Waits for the ranks and ends with them; it needs nothing of the job itself.
SCHEDULER = "from mindspore.communication import init; init()"
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


def _ending(code: int) -> str:
    return f"ended with exit code {code}" if code > 0 else f"was ended by {signal.Signals(-code).name}"


def _is_stopped(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_STOPPED
    except psutil.Error:
        return False


class Supervisor:
    """Runs one job on this server.

    The output of each process goes to <log_folder>/rank_<N>.log; the lowest local rank's is shown as well. When one
    process fails all are ended, and the user sees the message of the one that failed first.

    Args:
        command: the program and its arguments, the same for all ranks.
    """

    def __init__(self, cluster: Cluster, command: Sequence[str], log_folder: Path):
        self._cluster, self._command, self._folder = cluster, list(command), log_folder
        self._processes: list[Process] = []
        self._signal = 0

    def run(self) -> int:
        """Run the job to its end; returns the exit code: the failed rank's own, 1 for a signal's."""
        before = {number: signal.signal(number, self._forward) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            self._start()
            return self._watch()
        finally:
            self._end_all()
            for number, handler in before.items():
                signal.signal(number, handler)

    def _start(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        environment = self._cluster.scheduler_environment
        if environment is not None:
            command = [sys.executable, "-c", SCHEDULER]
            self._processes.append(_start("scheduler", command, environment, self._folder / "scheduler.log", None))
        for index, local in enumerate(self._cluster.local):
            shown = sys.stdout.buffer if index == 0 else None
            log = self._folder / f"rank_{local.rank}.log"
            environment = self._cluster.environment(local)
            self._processes.append(_start(f"rank {local.rank}", self._command, environment, log, shown))

    def _watch(self) -> int:
        while True:
            for process in self._processes:
                if process.look():
                    return self._give_up(process)
            if all(process.popen.returncode == 0 for process in self._ranks):
                return 0
            time.sleep(POLL)

    @property
    def _ranks(self) -> list[Process]:
        return [process for process in self._processes if process.name != "scheduler"]

    def _give_up(self, first: Process) -> int:
        """End the job after its first failure; returns the exit code."""
        code = first.popen.returncode
        if self._signal and code == STOPPED_EXIT_CODE:  # as asked; the others save and end as well
            for process in self._ranks:
                process.popen.wait()
            return STOPPED_EXIT_CODE
        self._end_all()
        print(f"error: {first.name} {first.failure}; the job is ended (logs: {self._folder})", file=sys.stderr)
        if first is not self._ranks[0]:
            print(_last_words(first.log), file=sys.stderr)
        return code if code and code > 0 else FAULT

    def _forward(self, number: int, _frame: FrameType | None) -> None:
        """Hand a signal on: the ranks save and end. The second one ends them at once."""
        if self._signal:
            raise SystemExit(STOPPED_EXIT_CODE)
        self._signal = number
        for process in self._ranks:
            if process.popen.poll() is None:
                process.popen.send_signal(signal.SIGTERM)

    def _end_all(self) -> None:
        """No process is left when this returns."""
        running = [process for process in self._processes if process.popen.poll() is None]
        for process in running:
            _signal_group(process.popen, signal.SIGTERM)
        end = time.monotonic() + GRACE
        while time.monotonic() < end and any(process.popen.poll() is None for process in running):
            time.sleep(0.05)
        for process in self._processes:
            _signal_group(process.popen, signal.SIGKILL)  # whatever is left of its group, too
            process.popen.wait()
            process.copier.join(timeout=GRACE)


def _start(
    name: str, command: Sequence[str], environment: dict[str, str], log: Path, shown: BinaryIO | None
) -> Process:
    popen = subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        preexec_fn=_die_with_parent,  # noqa: PLW1509 (no other thread holds a lock that it could need)
    )
    copier = threading.Thread(target=_copy, args=(popen.stdout, log, shown), daemon=True)
    copier.start()
    return Process(name, popen, log, copier)


def _die_with_parent() -> None:
    """Linux ends this process when its launcher ends, however that happens."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _copy(source: BinaryIO, log: Path, shown: BinaryIO | None) -> None:
    with log.open("wb", buffering=0) as file:
        while data := os.read(source.fileno(), 65_536):
            file.write(data)
            if shown is not None:
                shown.write(data)
                shown.flush()


def _signal_group(popen: subprocess.Popen, number: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(popen.pid, number)


def _last_words(log: Path) -> str:
    """The message in a log's end: from its last `error:` line or traceback on."""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - TAIL_BYTES))
        lines = file.read().decode("utf-8", "replace").splitlines()
    beginnings = [
        number for number, line in enumerate(lines) if line.startswith(("error: ", "Traceback (most recent call last)"))
    ]
    return "\n".join(lines[beginnings[-1] if beginnings else 0 :][-TAIL_LINES:])


def run_with_restarts(cluster: Cluster, command: Sequence[str], log_folder: Path, max_restarts: int = 0) -> int:
    """Run a job, and after a fault again from its last checkpoint, with a pause that doubles; returns the exit code.

    A user's mistake and a stop that was asked for are no faults.
    """
    restart = 0
    while True:
        code = Supervisor(cluster, command, log_folder / f"restart_{restart}" if restart else log_folder).run()
        if code in NO_FAULTS or restart >= max_restarts:
            return code
        pause = FIRST_PAUSE * 2**restart
        print(f"restart {restart + 1} of {max_restarts} in {pause:g} s, from the last checkpoint", file=sys.stderr)
        time.sleep(pause)
        if not any(word.partition("=")[0] == "--resume" for word in command):
            command = [*command, "--resume", "auto"]
        restart += 1


def run_msrun(options: Sequence[str], program: Sequence[str]) -> int:
    """Leave a job to MindSpore's own launcher; returns its exit code."""
    # It starts the `python` that it finds first.
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    if shutil.which("msrun", path=path) is None:
        raise UserError("msrun is not installed: it comes with mindspore")
    return subprocess.run(["msrun", *options, *program], env={**os.environ, "PATH": path}, check=False).returncode
