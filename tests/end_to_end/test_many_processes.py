"""Several processes on the CPU train like one: launcher, the ranks' data, all-reduce, synchronised BatchNorm."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from src.checkpoints import load_checkpoint
from src.datasets.synthetic.digits import write_digits
from src.runtime.machine import own_addresses
from src.runtime.rank_process import without_noise
from tests.support.launching import TIME_LIMIT, launch
from tests.support.processes import PROJECT_ROOT

PROGRAM = PROJECT_ROOT / "tests" / "support" / "smooth_training.py"


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data") / "digits"
    write_digits(folder)
    return folder


@pytest.fixture(scope="module")
def trained_alone(digits, tmp_path_factory):
    """{name: array} of one process on the joined batch of 68."""
    target = tmp_path_factory.mktemp("alone") / "one.npz"
    command = [sys.executable, "-m", "tests.support.smooth_training", digits, target, "68"]
    subprocess.run(list(map(str, command)), cwd=PROJECT_ROOT, check=True, timeout=200)
    return dict(np.load(target))


@pytest.mark.parametrize("num_processes", [2, pytest.param(4, marks=pytest.mark.slow)])
def test_steps_of_several_ranks_equal_one_process_on_the_joined_batch(num_processes, digits, trained_alone, tmp_path):
    finished = launch(tmp_path, num_processes, PROGRAM, digits, tmp_path / "many.npz", 68 // num_processes)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert f"cluster: {num_processes} processes, this is rank 0 (msrun: MS_ROLE=MS_WORKER)" in finished.stdout
    assert_equal_training(tmp_path / "many.npz", trained_alone)


def test_steps_of_two_servers_equal_one_process_on_the_joined_batch(servers, digits, trained_alone, tmp_path):
    parts = servers.launch(tmp_path, PROGRAM, digits, tmp_path / "two.npz", 34)
    assert [part.wait(timeout=TIME_LIMIT) for part in parts] == [0, 0], (tmp_path / "server_0.txt").read_text()
    assert_equal_training(tmp_path / "two.npz", trained_alone)


def assert_equal_training(path, expected):
    assert expected["losses"][-1] < expected["losses"][0] - 0.1
    found = np.load(path)
    assert set(found.files) == set(expected)
    for name, array in expected.items():
        assert np.linalg.norm(found[name] - array) / np.linalg.norm(array) < 1e-5, name


def test_the_seeds_distributed_command_with_a_rank_table(digits, tmp_path):
    devices = [{"device_id": str(number), "rank_id": str(number)} for number in range(2)]
    table = {"server_list": [{"server_id": own_addresses()[0], "device": devices}], "status": "completed"}
    (tmp_path / "table.json").write_text(json.dumps(table))
    words = [tmp_path / "table.json", "vig_nano_digits.yml", "--dataset_path", digits, "--backbone", "resnext_nano"]
    words += ["--batch_size", "16", "--accumulate_steps", "2", "--max_epoch", "1", "--warmup_epochs", "0.3"]
    words += ["--save_checkpoint_path", tmp_path, "--name", "pair"]
    finished = subprocess.run(
        ["bash", str(PROJECT_ROOT / "scripts" / "run_distribute_train_ascend.sh"), *map(str, words)],
        cwd=tmp_path,
        env={**os.environ, "PYTHON": sys.executable, "DEVICE_TARGET": "CPU", "LOG_FOLDER": str(tmp_path / "logs")},
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    log = (tmp_path / "logs" / "rank_0.log").read_text()
    assert finished.returncode == 0, log
    assert "2 ranks, here 0 on device 0, 1 on device 1; rank table" in finished.stdout
    # Rank 0's output is shown, without the framework's notes.
    assert without_noise(log.encode())[0].decode() in finished.stdout
    # Rank 0 writes one run folder; every image counts once, though 360 does not divide by 2 ranks x 120.
    checkpoint = load_checkpoint(tmp_path / "pair" / "ckpt" / "last.ckpt")
    assert checkpoint.meta["environment"]["ranks"] == 2
    assert checkpoint.meta["steps_per_epoch"] == 1437 // 64
    assert checkpoint.tensors["state.batches"] == 2 * checkpoint.tensors["optimizer.global_step"] == 2 * (1437 // 64)
    (record,) = map(json.loads, (tmp_path / "pair" / "metrics.jsonl").read_text().splitlines())
    assert record["top1"] * 360 == pytest.approx(round(record["top1"] * 360), abs=1e-9)
    assert record["loss"] < 2.0  # from log(10) = 2.3
    assert sorted(path.name for path in tmp_path.iterdir()) == ["logs", "pair", "table.json"]
