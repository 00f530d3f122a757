"""One training at a time in a run folder."""

import os
import signal

import pytest

from src.runtime.run_lock import LOCK_NAME, RunLock
from tests.support.processes import start_python
from tests.support.user_errors import message_of

HOLDER = """
    import sys, time
    from pathlib import Path
    from src.runtime.run_lock import RunLock

    with RunLock() as lock:
        lock.hold(Path(sys.argv[1]))
        print("held", flush=True)
        time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path):
    process = start_python(HOLDER, tmp_path)
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def test_a_folder_in_use_is_refused_and_names_the_process(tmp_path, holder):
    with RunLock() as lock:
        assert message_of(lock.hold, tmp_path) == (
            f"run folder {tmp_path} belongs to a training that still runs (process {holder.pid}): "
            "wait for its end, or give another --name"
        )


def test_a_killed_process_holds_nothing(tmp_path, holder):
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    with RunLock() as lock:
        lock.hold(tmp_path)
        lock.hold(tmp_path)  # held already
    assert (tmp_path / LOCK_NAME).read_text() == str(os.getpid())


def test_the_lock_ends_with_its_context(tmp_path):
    for _ in range(2):
        with RunLock() as lock:
            lock.hold(tmp_path)


def test_a_folder_that_is_not_there_is_told(tmp_path):
    assert message_of(RunLock().hold, tmp_path / "no").startswith(f"run folder {tmp_path}/no cannot be written (")
