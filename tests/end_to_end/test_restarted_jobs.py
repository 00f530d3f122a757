"""Jobs of two processes: two at once do not collide, a killed rank is restarted, another number of ranks resumes."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys

import numpy as np
import psutil
import pytest

from tests.support.commands import run_here, wait_until
from tests.support.launching import TIME_LIMIT
from tests.support.processes import PROJECT_ROOT
from tests.support.runs import TinyRun

pytestmark = pytest.mark.slow
# The images of a step do not depend on the number of ranks.
SAME_IMAGES = ("--crop_min", 1, "--hflip", 0, "--drop_rate", 0, "--drop_path_rate", 0)
# One process would normalise by a kernel, two by the framework's synchronised operator, and round differently.
SAME_OPERATORS = ("--sync_bn", 1, "--cpu_kernels", 0)
OPTIONS = (*SAME_IMAGES, *SAME_OPERATORS, "--eval_interval", 0)


def start(run, *options):
    """A job of two processes in the folder of the run's outputs."""
    words = ("--num_devices", 2, *options, "train.py", *run.options, *OPTIONS, "--batch_size", 8, "--name", run.name)
    return subprocess.Popen(
        [sys.executable, str(PROJECT_ROOT / "scripts" / "launch.py"), *map(str, words)],
        cwd=run.parent.parent,
        env={**os.environ, "PYTHONPATH": str(PROJECT_ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def kill_rank_1(job):
    (rank,) = [child for child in psutil.Process(job.pid).children() if child.environ().get("RANK_ID") == "1"]
    rank.send_signal(signal.SIGKILL)


@pytest.fixture(scope="module")
def jobs(digits, tmp_path_factory):
    """({name: run}, {name: (exit code, output, errors)}) of two jobs at once, of which one loses a rank."""
    folder = tmp_path_factory.mktemp("jobs")
    runs = {name: TinyRun(digits, folder / "outputs", name) for name in ("whole", "killed")}
    started = {"whole": start(runs["whole"]), "killed": start(runs["killed"], "--max_restarts", 2)}
    wait_until(lambda: 2 in runs["killed"].epochs, started["killed"], TIME_LIMIT)
    kill_rank_1(started["killed"])
    ended = {name: job.communicate(timeout=TIME_LIMIT) for name, job in started.items()}
    return runs, {name: (started[name].returncode, *texts) for name, texts in ended.items()}


def test_two_jobs_at_once_do_not_collide(jobs):
    runs, ended = jobs
    assert [code for code, *_ in ended.values()] == [0, 0], ended
    folder = runs["whole"].parent.parent
    assert sorted(path.name for path in folder.iterdir()) == ["launch_logs", "launch_logs-2", "outputs"]


def test_a_killed_rank_is_restarted_to_the_weights_of_the_whole_run(jobs):
    runs, ended = jobs
    _, _, errors = ended["killed"]
    assert "error: rank 1 was ended by SIGKILL; the job is ended" in errors
    assert "restart 1 of 2 in 5 s, from the last checkpoint" in errors
    assert f"INFO:resumed from {runs['killed'].last} at epoch " in runs["killed"].log
    assert runs["killed"].weights() == runs["whole"].weights()
    assert "[INFO] DISTRIBUTED" not in "".join(text for _, *texts in ended.values() for text in texts)


def test_one_process_resumes_what_two_have_begun(jobs, digits, tmp_path):
    whole = jobs[0]["whole"]
    alone = TinyRun(digits, tmp_path / "outputs", "whole")
    shutil.copytree(whole.folder, alone.folder)
    middle = alone.checkpoints / "resnext_nano-3_4.ckpt"
    finished = run_here("train.py", *alone.options, *OPTIONS, "--batch_size", 16, "--resume", middle)
    assert finished.code == 0, finished
    assert "may differ: batch_size 8 -> 16; ranks 2 -> 1\n" in finished.out
    expected, found = whole.load().tensors, alone.load().tensors
    assert set(found) == set(expected)
    for name, value in expected.items():
        assert np.linalg.norm(found[name] - value) <= 1e-5 * np.linalg.norm(value), name
