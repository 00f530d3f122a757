"""Transfer rates beside those of the `aws s3` command, on one S3 server of this machine.

    python benchmarks/storage.py /path/to/aws [--small 2000] [--large_mb 512] [--repeats 3]

Both run as processes of their own, in turn, start-up included. The server (moto, in a third process) shares the
machine's cores with them, so the rates are the server's as much as the client's: compare the two, not with a network.
"""

from __future__ import annotations

import argparse
import http.client
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SMALL_BYTES = 20_000  # of a file: a digit's or a thumbnail's
BUCKET = "bench"
OURS = """
import sys
from pathlib import Path
from src.runtime.storage import connect, download_tree, parse_location, upload_tree
action, folder, url = sys.argv[1:]
place = parse_location(url, "url")
if action == "up":
    upload_tree(connect(), Path(folder), place)
else:
    download_tree(connect(), place, Path(folder))
"""


def main() -> int:
    """Print a table of medians; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("aws", help="path of the aws command (PyPI awscli)")
    parser.add_argument("--small", type=int, default=2000, help="number of small files")
    parser.add_argument("--large_mb", type=int, default=512, help="megabytes of the one large file")
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        _write_files(work / "small", options.small, SMALL_BYTES)
        _write_files(work / "large", 1, options.large_mb * 1_000_000)
        print(f"{'files':<14} {'way':<5} {'ours s':>8} {'cp s':>8} {'sync s':>8} {'ours / cp':>10} {'ours / sync':>12}")
        for name in ("small", "large"):
            for way in ("up", "down"):
                _compare(options.aws, work, name, way, options.repeats)
    return 0


def _write_files(folder: Path, number: int, size: int) -> None:
    folder.mkdir()
    for index in range(number):
        (folder / f"{index:05d}.bin").write_bytes(os.urandom(size))


def _compare(aws: str, work: Path, name: str, way: str, repeats: int) -> None:
    """Time one kind of transfer in all three ways, in turn."""
    seconds: dict[str, list[float]] = {"ours": [], "cp": [], "sync": []}
    for _ in range(repeats):
        for tool, taken in seconds.items():
            taken.append(_timed(aws, work, name, way, tool))
    ours, copy, sync = (statistics.median(taken) for taken in seconds.values())
    print(
        f"{name:<14} {way:<5} {ours:8.2f} {copy:8.2f} {sync:8.2f} {ours / copy:10.2f} {ours / sync:12.2f}", flush=True
    )


def _timed(aws: str, work: Path, name: str, way: str, tool: str) -> float:
    """Seconds of one transfer through a fresh server and to an empty place."""
    port = _free_port()
    server = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    target = work / "target"
    try:
        _wait_for(port)
        run = _runner(aws, port)
        run("ours", "up", work / name) if way == "down" else None
        start = time.monotonic()
        run(tool, way, target if way == "down" else work / name)
        taken = time.monotonic() - start
        if way == "down":
            _check_same(work / name, target)
        return taken
    finally:
        server.terminate()
        server.wait()
        shutil.rmtree(target, ignore_errors=True)


def _runner(aws: str, port: int) -> Callable[[str, str, Path], None]:
    endpoint, url = f"http://127.0.0.1:{port}", f"s3://{BUCKET}/data"
    environment = {
        **os.environ,
        "S3_ENDPOINT": endpoint,
        "AWS_ACCESS_KEY_ID": "a",
        "AWS_SECRET_ACCESS_KEY": "a",
        "AWS_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "PYTHONPATH": str(ROOT),
    }
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("PUT", f"/{BUCKET}")
    assert connection.getresponse().status == 200

    def run(tool: str, way: str, folder: Path) -> None:
        ends = [str(folder), url] if way == "up" else [url, str(folder)]
        theirs = [aws, "--endpoint-url", endpoint, "s3", tool, *ends, "--quiet"] + ["--recursive"] * (tool == "cp")
        command = [sys.executable, "-c", OURS, way, str(folder), url] if tool == "ours" else theirs
        subprocess.run(command, env=environment, check=True)

    return run


def _check_same(source: Path, target: Path) -> None:
    assert subprocess.run(["diff", "-rq", source, target], check=False).returncode == 0, "the copies differ"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait_for(port: int) -> None:
    for _ in range(600):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise TimeoutError("the server did not start")


if __name__ == "__main__":
    sys.exit(main())
