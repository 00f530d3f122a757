"""Two "servers" on this machine: network namespaces with addresses of their own, joined by one cable."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.support.processes import PROJECT_ROOT

ADDRESSES = ("10.77.0.1", "10.77.0.2")


def why_not() -> str:
    """Why this machine cannot have them; "" where it can."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        return "network namespaces need root and the command ip (iproute2)"
    try:
        with TwoServers():
            return ""
    except subprocess.CalledProcessError as error:
        return f"{' '.join(error.cmd)}: {error.stderr.strip()}"


class TwoServers:
    """Context with two servers; what it made is removed at its end."""

    def __init__(self) -> None:
        self._names = [f"zoo-{os.getpid()}-{number}" for number in range(2)]
        self._started: list[subprocess.Popen] = []

    def __enter__(self) -> TwoServers:
        try:
            self._join()
        except subprocess.CalledProcessError:
            self._remove()
            raise
        return self

    def _join(self) -> None:
        for name in self._names:
            _ip("netns", "add", name)
        first, second = self._names
        _ip("link", "add", "eth0", "netns", first, "type", "veth", "peer", "name", "eth0", "netns", second)
        for name, address in zip(self._names, ADDRESSES, strict=True):
            _ip("-n", name, "addr", "add", f"{address}/24", "dev", "eth0")
            for device in ("lo", "eth0"):
                _ip("-n", name, "link", "set", device, "up")

    def __exit__(self, *_: object) -> None:
        for process in self._started:
            process.terminate()
            process.wait(timeout=60)
        self._remove()

    def _remove(self) -> None:
        for name in self._names:
            subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)

    def launch(self, folder: Path, *words: object, options: tuple[object, ...] = ()) -> list[subprocess.Popen]:
        """Start both servers' parts of one job, each by the same command with its own rank.

        Their outputs go to <folder>/server_0.txt and server_1.txt.
        """
        parts = [self._start(number, folder, options, words) for number in range(2)]
        self._started += parts
        return parts

    def _start(self, number: int, folder: Path, options: tuple, words: tuple) -> subprocess.Popen:
        launcher = [sys.executable, PROJECT_ROOT / "scripts" / "launch.py", "--num_servers", 2, "--server_rank", number]
        launcher += ["--master", ADDRESSES[0], "--num_devices", 1, "--log_folder", f"logs_{number}", *options, *words]
        with (folder / f"server_{number}.txt").open("w") as output:
            return subprocess.Popen(
                ["ip", "netns", "exec", self._names[number], *map(str, launcher)],
                cwd=folder,
                env={**os.environ, "PYTHONPATH": str(PROJECT_ROOT)},
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def cut(self) -> None:
        """Pull the cable."""
        _ip("-n", self._names[1], "link", "set", "eth0", "down")

    def mend(self) -> None:
        """Plug it in again."""
        _ip("-n", self._names[1], "link", "set", "eth0", "up")


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True)
