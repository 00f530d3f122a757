"""Supervisor: the processes of a job on this server, started together, watched, and ended together."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from src.config import UserError
from src.runtime.cluster import Cluster
from src.runtime.entry import DONE, FAULT, USER_ERROR
from src.runtime.lost_server import lost_server
from src.runtime.rank_process import Process, start_process
from src.runtime.signals import STOPPED_EXIT_CODE

POLL = 0.2  # seconds between two looks at the processes
VERDICT_PATIENCE = 5.0  # seconds that the scheduler has to count a server as lost
SCHEDULER_LOG = "scheduler.log"
GRACE = 5.0  # seconds that the others have to end after one has failed, unless the user gives more
NO_FAULTS = {DONE, USER_ERROR, STOPPED_EXIT_CODE}
FIRST_PAUSE = 5.0  # seconds before the first restart
# Waits for the ranks and ends with them; it needs nothing of the job itself.
SCHEDULER = "from mindspore.communication import init; init()"


class Supervisor:
    """Runs one job on this server.

    The output of each process goes to <log_folder>/rank_<N>.log; the lowest local rank's is shown as well. When one
    process fails all are ended, and the user sees the message of the one that failed first.

    When the terminal closes (SIGHUP) the job continues, as under nohup.

    Args:
        command: the program and its arguments, the same for all ranks.
        grace: seconds that the other ranks have to end, and to upload their results, after one has failed.
    """

    def __init__(self, cluster: Cluster, command: Sequence[str], log_folder: Path, grace: float = GRACE):
        self._cluster, self._command, self._folder, self._grace = cluster, list(command), log_folder, grace
        self._processes: list[Process] = []
        self._signal = 0

    def run(self) -> int:
        """Run the job to its end; returns the exit code: the failed rank's own, 1 for a signal's."""
        handlers = {signal.SIGINT: self._forward, signal.SIGTERM: self._forward, signal.SIGHUP: _continue}
        before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
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
            self._processes.append(start_process("scheduler", command, environment, self._folder / SCHEDULER_LOG, None))
        for index, local in enumerate(self._cluster.local):
            shown = sys.stdout.buffer if index == 0 else None
            log = self._folder / f"rank_{local.rank}.log"
            environment = self._cluster.environment(local)
            self._processes.append(start_process(f"rank {local.rank}", self._command, environment, log, shown))

    def _watch(self) -> int:
        while True:
            # A rank that was asked to stop is no failure: the others end after the same step, and the scheduler with
            # them.
            stops = any(process.popen.poll() == STOPPED_EXIT_CODE for process in self._ranks)
            for process in self._ranks if stops else self._processes:
                if process.look() and process.popen.returncode != STOPPED_EXIT_CODE:
                    return self._give_up(process)
            codes = [process.popen.returncode for process in self._ranks]
            if None not in codes:
                return max(codes)
            time.sleep(POLL)

    @property
    def _ranks(self) -> list[Process]:
        return [process for process in self._processes if process.name != "scheduler"]

    def _give_up(self, first: Process) -> int:
        """End the job after its first failure; returns the exit code."""
        code = first.popen.returncode
        if self._signal and code == -signal.SIGTERM:  # asked to stop before the first step, or in an evaluation
            return STOPPED_EXIT_CODE
        lost = self._lost_server()
        self._end_all()
        what = f"error: {first.name} {first.failure}; the job is ended (logs: {self._folder})"
        print(what, file=sys.stderr)
        if lost:
            print(f"error: {lost}", file=sys.stderr)
        elif first is not self._ranks[0] and (words := first.last_words()):
            print(words, file=sys.stderr)
        return code if code and code > 0 else FAULT

    def _lost_server(self) -> str:
        """The server whose loss is behind a failure here; "" if there is none.

        A rank may fail in its exchange with a lost server a little before the scheduler counts that server as lost.
        """
        log = self._folder / SCHEDULER_LOG
        end = time.monotonic() + VERDICT_PATIENCE
        scheduler = next((process for process in self._processes if process not in self._ranks), None)
        if scheduler is not None and len(self._cluster.servers) > 1:
            while scheduler.popen.poll() is None and time.monotonic() < end:
                time.sleep(POLL)
            scheduler.copier.join(timeout=GRACE)
        return lost_server(self._cluster, log)

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
            process.signal_group(signal.SIGTERM)
        end = time.monotonic() + self._grace
        while time.monotonic() < end and any(process.popen.poll() is None for process in running):
            time.sleep(0.05)
        for process in self._processes:
            process.signal_group(signal.SIGKILL)  # whatever is left of its group, too
            process.popen.wait()
            process.copier.join(timeout=GRACE)


def _continue(_number: int, _frame: FrameType | None) -> None:
    """Unlike an ignored signal, this one is not ignored by the programs that are started."""


def run_with_restarts(
    cluster: Cluster, command: Sequence[str], log_folder: Path, max_restarts: int = 0, grace: float = GRACE
) -> int:
    """Run a job, and after a fault again from its last checkpoint, with a pause that doubles; returns the exit code.

    A user's mistake and a stop that was asked for are no faults.
    """
    restart = 0
    while True:
        folder = log_folder / f"restart_{restart}" if restart else log_folder
        code = Supervisor(cluster, command, folder, grace).run()
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
