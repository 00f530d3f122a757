"""Campaign of limits: commands that run out of disk, memory or descriptors end by themselves and leave nothing half.

python -m tests.campaigns.limits                                  each command under each limit, 5 values each
python -m tests.campaigns.limits --commands predict --values 20 --seed 7
python -m tests.campaigns.limits --kinds disk                     needs root, who alone can mount a small disk
"""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from src.checkpoints import load_checkpoint
from src.config import UserError
from tests.campaigns.kills import COMMANDS, Place, half_outputs, outputs, prepare, run_to_end
from tests.support.commands import PROJECT_ROOT, TINY

SECONDS = 300
# The smallest and the largest value of each limit; a command needs more than the first, and Python itself no more.
LIMITS = {
    "file size": (1_000, 2_000_000),
    "disk": (4_096, 2_000_000),
    "descriptors": (5, 40),
    "memory": (600_000_000, 4_000_000_000),
}
_OPTIONS = {"file size": "--fsize", "descriptors": "--nofile", "memory": "--as"}  # of prlimit
TRAINING = {
    "train": lambda at: (
        *("train.py", "--config_path", TINY, "--dataset_path", at.digits, "--max_epoch", "1", "--report", "1"),
        *("--save_checkpoint_path", at.folder / "out"),
    )
}


@dataclass
class Tally:
    """Commands that were run under a limit: how many ended well (0), in one line (2), by a fault (1), and failures."""

    codes: dict[int, int] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)


@contextmanager
def limited(kind: str, value: int, folder: Path) -> Iterator[list[str]]:
    """Context that gives the words before a command that put it, with its outputs in `folder`, under a limit."""
    if kind != "disk":
        yield ["prlimit", f"{_OPTIONS[kind]}={value}"]
        return
    folder.mkdir()
    subprocess.run(_mount(value, folder), check=True)
    try:
        yield []
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def _mount(size: int, folder: Path) -> list[str]:
    return ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]


def why_no_disk() -> str:
    """The reason for which no small disk can be mounted here, "" if it can."""
    with tempfile.TemporaryDirectory() as folder:
        mounted = subprocess.run(_mount(4096, Path(folder)), capture_output=True, text=True)
        if mounted.returncode == 0:
            subprocess.run(["umount", "--lazy", folder], check=True)
    return mounted.stderr.strip()


def run_limited(words: tuple[str | Path, ...], prefix: list[str]) -> subprocess.CompletedProcess:
    command = [*prefix, sys.executable, "-B", str(PROJECT_ROOT / words[0]), *map(str, words[1:])]
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        cwd=PROJECT_ROOT,
        env={"PYTHONPATH": str(PROJECT_ROOT), "PATH": "/usr/bin:/bin", "HOME": "/tmp"},
    )


def failure_of(kind: str, finished: subprocess.CompletedProcess) -> str:
    """What is wrong with how a command ended, "" if nothing is.

    Every limit is the user's to mend (2, one line); only without memory may the framework abort or print its errors.
    """
    code, lines = finished.returncode, finished.stderr.strip().splitlines()
    told = code == 0 or (code == 2 and any(line.startswith("error: ") for line in lines))
    if kind == "memory" and (told or code == -signal.SIGABRT):
        return ""
    if told and "Traceback" not in finished.stderr:
        return ""
    return f"exit code {code}: {(finished.stdout + finished.stderr)[-400:]}"


def fault_in(kind: str, at: Place, code: int, expected: dict[str, str]) -> str:
    """What is wrong with the outputs of a command that ended with this exit code, "" if nothing is."""
    missing = set(expected) - set(outputs(at.folder))
    if code == 0 and missing:
        return f"exit code 0 without {missing}"
    # A training's checkpoints are those of an earlier step.
    if half := [path for path in half_outputs(at.folder, expected) if not _loads(at.folder / path)]:
        return f"exit code {code}, half or other than expected: {half}"
    # Without a descriptor no folder can be emptied: the next command does it.
    left = [path.name for path in at.folder.rglob(".*.partial-*") if kind != "descriptors"]
    return f"exit code {code}, left {left}" if code >= 0 and left else ""


def _loads(path: Path) -> bool:
    if path.suffix != ".ckpt":
        return False
    try:
        load_checkpoint(path)
    except UserError:
        return False
    return True


def limit_command(kind: str, make: Callable, place: Place, values: list[int]) -> Tally:
    """Run a command under each value of a limit, and compare what it leaves with what it leaves without one."""
    tally = Tally()
    with tempfile.TemporaryDirectory() as folder:
        at = replace(place, folder=Path(folder) / "whole")
        run_to_end(make(at))
        expected = outputs(at.folder)
        for value in values:
            at = replace(place, folder=Path(folder) / f"limited-{value}")
            with limited(kind, value, at.folder) as prefix:
                try:
                    finished = run_limited(make(at), prefix)
                except subprocess.TimeoutExpired:
                    tally.failures.append(f"{kind} {value}: still runs after {SECONDS} s")
                    continue
                code = finished.returncode
                failure = failure_of(kind, finished) or fault_in(kind, at, code, expected)
            tally.codes[code] = tally.codes.get(code, 0) + 1
            if failure:
                tally.failures.append(f"{kind} {value}: {failure}")
    return tally


def main(argv: list[str]) -> int:
    commands = {**TRAINING, **COMMANDS}
    parser = argparse.ArgumentParser(prog="python -m tests.campaigns.limits")
    parser.add_argument("--commands", default=",".join(commands), help="comma-separated (default: all)")
    parser.add_argument("--kinds", default=",".join(LIMITS), help="comma-separated (default: all)")
    parser.add_argument("--values", type=int, default=5, help="values of each limit (default: 5)")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="default: the time")
    options = parser.parse_args(argv)
    print(f"seed {options.seed}")
    kinds, failed = options.kinds.split(","), 0
    if "disk" in kinds and (reason := why_no_disk()):
        print(f"without the limit of the disk: {reason}")
        kinds.remove("disk")
    with tempfile.TemporaryDirectory() as folder:
        place = prepare(Path(folder))
        for name in options.commands.split(","):
            for kind in kinds:
                rng = np.random.default_rng([options.seed, sum((name + kind).encode())])
                low, high = np.log(LIMITS[kind])
                values = sorted(np.exp(rng.uniform(low, high, options.values)).astype(int).tolist())
                tally = limit_command(kind, commands[name], place, values)
                failed += len(tally.failures)
                print(f"{name:<18} {kind:<12} exit codes {tally.codes}, failed {len(tally.failures)}", flush=True)
                for failure in tally.failures:
                    print(f"  {failure}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
