"""Two processes on the CPU train like one: msrun, the ranks' data, the all-reduce, synchronised BatchNorm."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

from src.checkpoints import load_checkpoint
from src.datasets.synthetic.digits import write_digits
from tests.support.processes import PROJECT_ROOT
from tests.support.two_workers import msrun


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data") / "digits"
    write_digits(folder)
    return folder


def test_twenty_steps_of_two_ranks_equal_one_process_on_the_joined_batch(digits, tmp_path):
    program = PROJECT_ROOT / "tests" / "support" / "two_workers.py"
    one, two = tmp_path / "one.npz", tmp_path / "two.npz"
    alone = [sys.executable, "-m", "tests.support.two_workers", digits, one, "70"]
    subprocess.run(list(map(str, alone)), cwd=PROJECT_ROOT, check=True, timeout=200)
    finished = msrun(tmp_path / "logs", program, digits, two, 35)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    expected, found = np.load(one), np.load(two)
    assert expected["losses"][-1] < expected["losses"][0] - 0.1
    assert set(found.files) == set(expected.files)
    for name in expected.files:
        difference = np.linalg.norm(found[name] - expected[name]) / np.linalg.norm(expected[name])
        assert difference < 1e-5, name


def test_training_command_with_two_ranks_that_accumulate(digits, tmp_path):
    words = ["--config_path", "vig_nano_digits.yml", "--dataset_path", digits, "--backbone", "resnext_nano"]
    words += ["--batch_size", "16", "--accumulate_steps", "2", "--max_epoch", "1", "--warmup_epochs", "0.3"]
    words += ["--save_checkpoint_path", tmp_path, "--name", "pair"]
    finished = msrun(tmp_path / "logs", "train.py", *words)
    log = (tmp_path / "logs" / "worker_0.log").read_text()
    assert finished.returncode == 0, log
    # Rank 0 writes one run folder; every image counts once, though 360 does not divide by 2 ranks x 120.
    checkpoint = load_checkpoint(tmp_path / "pair" / "ckpt" / "last.ckpt")
    assert checkpoint.meta["environment"]["ranks"] == 2
    assert checkpoint.meta["steps_per_epoch"] == 1437 // 64
    assert checkpoint.tensors["state.batches"] == 2 * checkpoint.tensors["optimizer.global_step"] == 2 * (1437 // 64)
    (record,) = map(json.loads, (tmp_path / "pair" / "metrics.jsonl").read_text().splitlines())
    assert record["top1"] * 360 == pytest.approx(round(record["top1"] * 360), abs=1e-9)
    assert record["loss"] < 2.0  # from log(10) = 2.3
    assert sorted(path.name for path in tmp_path.iterdir()) == ["logs", "pair"]
