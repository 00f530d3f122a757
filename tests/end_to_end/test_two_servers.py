"""Two servers train like one; when the cable between them breaks, both say so, end, and continue when it is mended."""

from __future__ import annotations

import psutil
import pytest

from tests.support.commands import TINY, wait_until
from tests.support.launching import TIME_LIMIT, launch
from tests.support.runs import TinyRun
from tests.support.two_servers import ADDRESSES

pytestmark = pytest.mark.slow


def options(run):
    """Of a training by two processes, of 12 epochs of 4 steps."""
    return (
        *run.options,
        "--batch_size",
        8,
        "--sync_bn",
        1,
        "--eval_interval",
        0,
        "--max_epoch",
        12,
        "--name",
        run.name,
    )


def processes_of(name):
    """Processes that train this run."""
    found = (each for each in psutil.process_iter(["cmdline"]) if str(TINY) in (each.info["cmdline"] or []))
    return [each for each in found if name in each.info["cmdline"] and each.status() != psutil.STATUS_ZOMBIE]


@pytest.fixture(scope="module")
def one_server(servers, digits, tmp_path_factory):
    """The run of two processes on one server."""
    folder = tmp_path_factory.mktemp("one_server")
    run = TinyRun(digits, folder / "outputs", "one")
    finished = launch(folder, 2, "train.py", *options(run))
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return run


def test_two_servers_end_with_the_bits_of_one(servers, digits, one_server, tmp_path):
    run = TinyRun(digits, tmp_path / "outputs", "two")
    parts = servers.launch(tmp_path, "train.py", *options(run))
    assert [part.wait(timeout=TIME_LIMIT) for part in parts] == [0, 0]
    assert run.weights() == one_server.weights()
    assert f"2 ranks, here 1 on device 0; meeting at {ADDRESSES[0]}:8118" in (tmp_path / "server_1.txt").read_text()


def test_a_cut_cable_is_reported_by_both_and_the_restarted_job_resumes(servers, digits, one_server, tmp_path):
    run = TinyRun(digits, tmp_path / "outputs", "cut")
    outputs = [tmp_path / f"server_{number}.txt" for number in range(2)]
    parts = servers.launch(tmp_path, "train.py", *options(run))
    wait_until(lambda: 2 in run.epochs, parts[0], TIME_LIMIT)
    servers.cut()
    assert [part.wait(timeout=120) for part in parts] == [1, 1]
    assert processes_of("cut") == []
    texts = [output.read_text() for output in outputs]
    assert "\nerror: server 1 (rank 1) was lost: its heartbeat has stopped" in texts[0]
    assert f"\nerror: server 0 ({ADDRESSES[0]}:8118), where the ranks meet, was lost: it cannot be " in texts[1]
    assert len(run.epochs) < 12
    servers.mend()
    parts = servers.launch(tmp_path, "train.py", *options(run), "--resume", "auto")
    assert [part.wait(timeout=TIME_LIMIT) for part in parts] == [0, 0]
    assert f"INFO:resumed from {run.last} at epoch " in run.log
    assert run.weights() == one_server.weights()
