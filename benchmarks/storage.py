"""Transfer rates beside those of the `aws s3` command, on one S3 server of this machine.

    python benchmarks/storage.py /path/to/aws [--small 2000] [--large_mb 512] [--repeats 3]

Both run as processes of their own, in turn, start-up included. The server (moto, in a third process) shares the
machine's cores with them, so the rates are the server's as much as the client's: compare the two, not with a network.
"""

from __future__ import annotations

import argparse
import http.client
import os
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SMALL_BYTES = 20_000  # of a file: a digit's or a thumbnail's
BUCKET = "bench"
TOOLS = ("ours", "cp", "sync")
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
        print("seconds, and processor seconds of the client; ratios of the seconds")
        print(
            f"{'files':<6} {'way':<5}" + "".join(f"{tool:>16}" for tool in TOOLS) + f"{'ours/cp':>9} {'ours/sync':>9}"
        )
        for name in ("small", "large"):
            _compare(options.aws, work, name, options.repeats)
    return 0


def _write_files(folder: Path, number: int, size: int) -> None:
    folder.mkdir()
    for index in range(number):
        (folder / f"{index:05d}.bin").write_bytes(os.urandom(size))


def _compare(aws: str, work: Path, name: str, repeats: int) -> None:
    """Print the medians of both ways. Each repeat begins with another tool: a fresh server is slow at first."""
    taken = {(way, tool): [] for way in ("up", "down") for tool in TOOLS}
    for repeat in range(repeats):
        first = repeat % len(TOOLS)
        with _server() as port:
            for way in ("up", "down"):
                for tool in TOOLS[first:] + TOOLS[:first]:
                    taken[way, tool].append(_timed(aws, port, work, name, way, tool))
    medians = {
        key: [statistics.median(column) for column in zip(*values, strict=True)] for key, values in taken.items()
    }
    for way in ("up", "down"):
        row = [medians[way, tool] for tool in TOOLS]
        shown = "".join(f"{wall:10.2f} {cpu:5.2f}" for wall, cpu in row)
        print(f"{name:<6} {way:<5}{shown} {row[0][0] / row[1][0]:8.2f} {row[0][0] / row[2][0]:9.2f}", flush=True)


def _timed(aws: str, port: int, work: Path, name: str, way: str, tool: str) -> tuple[float, float]:
    """Seconds of one transfer to an empty place, and processor seconds of its client."""
    source, target = work / name, work / "target"
    url = f"s3://{BUCKET}/{tool if way == 'up' else 'ours'}"
    folder = source if way == "up" else target
    start, before = time.monotonic(), _client_seconds()
    _run(aws, port, tool, way, folder, url)
    taken = time.monotonic() - start, _client_seconds() - before
    if way == "down":
        assert subprocess.run(["diff", "-rq", source, target], check=False).returncode == 0, "the copies differ"
        shutil.rmtree(target)
    return taken


def _client_seconds() -> float:
    """Of the processes that have ended; the server has not."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _run(aws: str, port: int, tool: str, way: str, folder: Path, url: str) -> None:
    endpoint = f"http://127.0.0.1:{port}"
    ends = [str(folder), url] if way == "up" else [url, str(folder)]
    theirs = [aws, "--endpoint-url", endpoint, "s3", tool, *ends, "--quiet"] + ["--recursive"] * (tool == "cp")
    command = [sys.executable, "-c", OURS, way, str(folder), url] if tool == "ours" else theirs
    environment = {
        **os.environ,
        "S3_ENDPOINT": endpoint,
        "AWS_ACCESS_KEY_ID": "a",
        "AWS_SECRET_ACCESS_KEY": "a",
        "AWS_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "PYTHONPATH": str(ROOT),
    }
    subprocess.run(command, env=environment, check=True)


@contextmanager
def _server() -> Iterator[int]:
    """The port of a fresh server with one bucket."""
    port = _free_port()
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_for(port)
        connection = http.client.HTTPConnection("127.0.0.1", port)
        connection.request("PUT", f"/{BUCKET}")
        assert connection.getresponse().status == 200
        yield port
    finally:
        server.terminate()
        server.wait()


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
