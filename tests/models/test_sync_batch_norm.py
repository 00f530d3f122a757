"""Two ranks with synchronised BatchNorm train like one rank with the joined batch."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
WORKER = str(ROOT / "tests/models/sync_batch_norm_worker.py")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def run(command: list[str], folder: Path) -> None:
    binaries = str(Path(sys.executable).parent)  # msrun starts the python it finds on PATH
    environment = os.environ | {"PATH": f"{binaries}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]


@pytest.mark.parametrize("mode", ["compiled", pytest.param("eager", marks=pytest.mark.slow)])
def test_two_ranks_equal_one(mode, tmp_path):
    run([sys.executable, WORKER, str(tmp_path), mode], tmp_path)
    launcher = str(Path(sys.executable).parent / "msrun")
    workers = ["--worker_num=2", "--local_worker_num=2", f"--master_port={free_port()}", "--join=True"]
    run([launcher, *workers, f"--log_dir={tmp_path}/logs", WORKER, str(tmp_path), mode], tmp_path)
    one, first, second = (np.load(tmp_path / f"{name}.npz") for name in ("1_0", "2_0", "2_1"))
    for name in one.files:
        if "moving" in name:
            np.testing.assert_array_equal(first[name], second[name], err_msg=name)
        joined = (first[name] + second[name]) / 2
        np.testing.assert_allclose(joined, one[name], rtol=1e-3, atol=1e-4 * np.abs(one[name]).max(), err_msg=name)
