"""Work that one process of a server does for all of them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from src.config import RemoteFault, UserError
from src.runtime.modelarts import once
from src.runtime.modelarts.once import once_per_server
from tests.support.processes import PROJECT_ROOT

PROGRAM = """
    import sys, time
    from pathlib import Path
    from src.config import RemoteFault, UserError
    from src.runtime.modelarts.once import once_per_server

    log, outcome, seconds = Path(sys.argv[1]), sys.argv[2], float(sys.argv[3])

    def work():
        with log.open("a") as file:
            file.write("begun\\n")
        time.sleep(seconds)
        if outcome == "mistake":
            raise UserError("no such bucket")
        if outcome == "fault":
            raise RemoteFault("503")
        return "fetched"

    try:
        print(once_per_server(["job", "source", str(log)], work))
    except (UserError, RemoteFault) as error:
        print(f"{type(error).__name__}: {error}")
"""


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    """Markers of other tests and jobs are elsewhere."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))


def start(tmp_path, number, outcome="ok", seconds=1.0):
    command = [sys.executable, "-c", textwrap.dedent(PROGRAM), tmp_path / "log", outcome, str(seconds)]
    environment = {**os.environ, "PYTHONPATH": str(PROJECT_ROOT), "TMPDIR": str(tmp_path)}
    return [subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) for _ in range(number)]


def answers(processes):
    return [process.communicate(timeout=60)[0].strip() for process in processes]


def test_one_process_works_and_all_have_its_result(tmp_path):
    assert answers(start(tmp_path, 4)) == ["fetched"] * 4
    assert (tmp_path / "log").read_text() == "begun\n"


@pytest.mark.parametrize(("outcome", "line"), [("mistake", "UserError: no such bucket"), ("fault", "RemoteFault: 503")])
def test_a_failure_is_everyones(tmp_path, outcome, line):
    assert answers(start(tmp_path, 3, outcome)) == [line] * 3
    assert (tmp_path / "log").read_text() == "begun\n"


def test_another_process_takes_over_from_one_that_is_killed(tmp_path):
    (first,) = start(tmp_path, 1, seconds=60)
    while not (tmp_path / "log").exists():
        time.sleep(0.05)
    others = start(tmp_path, 2, seconds=0)
    time.sleep(1.0)
    first.send_signal(signal.SIGKILL)
    assert answers(others) == ["fetched"] * 2
    assert (tmp_path / "log").read_text() == "begun\n" * 2


def test_a_later_job_is_not_fooled_by_the_marker_of_an_earlier_one(tmp_path):
    assert answers(start(tmp_path, 2, "fault", 0)) == ["RemoteFault: 503"] * 2
    (marker,) = tmp_path.glob("modelarts-*/*.json")
    assert json.loads(marker.read_text()) == ["fault", "503"]
    hour_ago = time.time() - 3600
    os.utime(marker, (hour_ago, hour_ago))
    assert answers(start(tmp_path, 2, "ok", 0)) == ["fetched"] * 2
    assert (tmp_path / "log").read_text() == "begun\n" * 2


def test_two_jobs_of_one_process_both_work():
    done = []
    for _ in range(2):
        assert once_per_server(["job"], lambda: str(done.append(1))) == "None"
    assert len(done) == 2


def test_other_work_has_another_marker(tmp_path):
    once_per_server(["job", "a"], lambda: "a")
    assert once_per_server(["job", "b"], lambda: "b") == "b"
    assert len(list(tmp_path.glob("modelarts-*/*.json"))) == 2


def test_the_wait_has_an_end(monkeypatch):
    monkeypatch.setattr(once, "DEADLINE", 0.1)
    monkeypatch.setattr(once, "POLL", 0.05)

    def meanwhile():
        with pytest.raises(RemoteFault, match="another process of this job has worked for 0.1 s"):
            once_per_server(["job"], lambda: "never")
        raise UserError("as told")

    with pytest.raises(UserError, match="as told"):
        once_per_server(["job"], meanwhile)


@pytest.mark.parametrize("prepare", [lambda at: at.symlink_to(at.parent), lambda at: at.mkdir() or at.chmod(0o777)])
def test_a_folder_that_others_can_write_to_is_refused(tmp_path, prepare):
    prepare(tmp_path / f"modelarts-{os.getuid()}")
    with pytest.raises(UserError, match="not a folder of this user alone: remove it, or set TMPDIR"):
        once_per_server(["job"], lambda: "fetched")
