"""The project's commands: each in a process of its own, or all in one where only their answers count."""

from __future__ import annotations

import contextlib
import importlib
import io
import logging
import multiprocessing
import os
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from src.runtime.entry import run_command
from src.runtime.logs import get_logger
from src.runtime.rank_process import end_with_parent
from tests.support.processes import PROJECT_ROOT

TINY = Path(__file__).with_name("tiny.yml")
PADDED_TRAINING = Path(__file__).with_name("padded_training.py")
TIME_LIMIT = 120  # seconds: a command of seconds that takes this long hangs


@dataclass(frozen=True)
class Finished:
    """How a command ended."""

    code: int
    out: str
    err: str


def start_command(
    script: str | Path, *options: object, cwd: Path = PROJECT_ROOT, file_limit: int | None = None
) -> subprocess.Popen:
    """Start a script of the project's root; `file_limit`: bytes after which its writing fails, as on a full disk."""
    limit = ["prlimit", f"--fsize={file_limit}"] if file_limit else []
    return subprocess.Popen(
        [*limit, sys.executable, str(PROJECT_ROOT / script), *map(str, options)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(PROJECT_ROOT)},
        preexec_fn=end_with_parent,  # noqa: PLW1509 (a test that is ended leaves nothing running)
    )


def finish(process: subprocess.Popen) -> Finished:
    """Wait for a command's end."""
    out, err = process.communicate(timeout=TIME_LIMIT)
    return Finished(process.returncode, out, err)


def run_process(script: str, *options: object, **settings) -> Finished:
    """Run a script to its end."""
    return finish(start_command(script, *options, **settings))


def run_here(script: str, *options: object) -> Finished:
    """Run an entry point through the same `run_command`, in one process that serves all such calls.

    That spares each of them the loading of MindSpore, and keeps device, mode and log out of the tests' own process.
    """
    return _server().submit(_run, script, [str(option) for option in options]).result(timeout=TIME_LIMIT)


@cache
def _server() -> ProcessPoolExecutor:
    return ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"))


def _run(script: str, options: list[str]) -> Finished:
    out, err = io.StringIO(), io.StringIO()
    sys.argv = [script, *options]
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = run_command(importlib.import_module(script.removesuffix(".py")).main)
    # A command's process ends with it; this one must close the run's log itself.
    for handler in [handler for handler in get_logger().handlers if isinstance(handler, logging.FileHandler)]:
        get_logger().removeHandler(handler)
        handler.close()
    return Finished(code, out.getvalue(), err.getvalue())


def wait_until(condition: Callable[[], bool], process: subprocess.Popen, seconds: float = TIME_LIMIT) -> None:
    """Wait until a running command has come to where `condition` holds, `seconds` at most."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline, "the moment did not come"
        time.sleep(0.002)


def mistake(finished: Finished) -> str:
    """The one line that a command must have ended with after its user's mistake."""
    assert finished.code == 2, finished
    (line,) = finished.err.splitlines()
    assert line.startswith("error: "), line
    assert "Traceback" not in finished.out
    return line.removeprefix("error: ")
