"""Whole ModelArts jobs on an S3 server: training, evaluation and export, and a kill in the middle."""

from __future__ import annotations

import json
import shutil
import time

import pytest

from src.checkpoints import load_checkpoint
from tests.support.bucket import Server, environment
from tests.support.commands import TINY, run_process, start_command
from tests.support.processes import PROJECT_ROOT

DATA, OUT = "--data_url=s3://zoo/in/digits", "--train_url=s3://zoo/out"
JOB = ("--enable_modelarts=True", DATA, OUT, "--init_method=tcp://platform", "--upload_interval=1")
LIMIT = 400  # seconds of two workers


@pytest.fixture(scope="module")
def server(digits, tmp_path_factory):
    """A bucket with the digits: the training images in an archive, a folder's marker."""
    server = Server()
    archive = shutil.make_archive(str(tmp_path_factory.mktemp("tar") / "train"), "tar", digits / "train")
    with open(archive, "rb") as file:
        server.put("in/digits/train.tar", file.read())
    server.put("in/digits/", b"")
    server.put_folder(digits / "val", "in/digits/val")
    yield server
    server.close()


@pytest.fixture
def bucket(server, tmp_path, monkeypatch):
    """The server, with nothing in out/ and found by the commands that a test starts."""
    for name, value in environment(server.port, MA_VJ_NAME="job", TMPDIR=str(tmp_path)).items():
        monkeypatch.setenv(name, value)
    for key in server.list_keys("out"):
        server.client.delete_object(Bucket="zoo", Key=key)
    return server


def places(disk):
    return "--data_path", disk / "data", "--output_path", disk / "out", "--load_path", disk / "model.ckpt"


def names(bucket):
    """What is in out/, without the events, which have names of their own."""
    keys = (key.removeprefix("out/") for key in bucket.list_keys("out/"))
    return {key for key in keys if key and ".tfevents." not in key}


def test_a_training_job(bucket, tmp_path):
    finished = run_process("train.py", "--config_path", TINY, *JOB, *places(tmp_path), "--max_epoch", 2, cwd=tmp_path)
    assert (finished.code, finished.err) == (0, ""), finished
    assert "ignored, since the platform adds arguments of its own: --init_method" in finished.out
    checkpoints = {"tiny/ckpt/last.ckpt", "tiny/ckpt/best.ckpt", "tiny/ckpt/resnext_nano-1_4.ckpt"}
    files = {"tiny/config.yml", "tiny/train.log", "tiny/metrics.jsonl", "tiny/curves.png"}
    assert names(bucket) == checkpoints | files | {"tiny/ckpt/resnext_nano-2_4.ckpt"}
    assert bucket.get("out/tiny/ckpt/last.ckpt") == (tmp_path / "out/tiny/ckpt/last.ckpt").read_bytes()
    log = bucket.get("out/tiny/train.log").decode()
    assert f"training images: 64 in 10 classes at {tmp_path}/data/train" in log
    assert "epoch[2], epoch time" in log
    assert "a-secret" not in finished.out + log


def test_evaluation_and_export_as_boot_files(bucket, reference, tmp_path):
    bucket.put("in/best.ckpt", reference.best.read_bytes())
    words = ("--enable_modelarts=True", OUT, *places(tmp_path))
    finished = run_process("eval.py", *words, DATA, "--pretrained=s3://zoo/in/best.ckpt", cwd=tmp_path)
    assert (finished.code, finished.err) == (0, ""), finished
    result = json.loads(bucket.get("out/evaluation/result.json"))
    assert result["checkpoint"] == str(tmp_path / "model.ckpt")
    finished = run_process("export.py", *words, "--checkpoint_url=s3://zoo/in/best.ckpt", cwd=tmp_path)
    assert (finished.code, finished.err) == (0, ""), finished
    assert {"resnext_nano.mindir", "resnext_nano.mindir.json"} <= names(bucket)
    assert not (tmp_path / "resnext_nano.mindir").exists()


def test_a_wrong_bucket_ends_the_job_before_it_begins(bucket, tmp_path):
    words = ("--config_path", TINY, "--enable_modelarts=True", "--data_url=obs://zoos/digits", *places(tmp_path))
    finished = run_process("train.py", *words, cwd=tmp_path)
    assert finished.code == 2
    assert finished.err == "error: obs://zoos/digits: no such bucket: check its name and S3_ENDPOINT\n"
    assert not (tmp_path / "out").exists()


def test_no_server_is_a_fault(bucket, tmp_path, monkeypatch):
    monkeypatch.setenv("S3_ENDPOINT", "127.0.0.1:9")
    words = ("--config_path", TINY, "--enable_modelarts=True", DATA, *places(tmp_path))
    finished = run_process("train.py", *words, cwd=tmp_path)
    assert finished.code == 1
    assert finished.err.startswith("error: s3://zoo/in/digits: not reached at http://127.0.0.1:9/")
    assert len(finished.err.splitlines()) == 1


@pytest.mark.slow
def test_a_job_of_two_workers_that_is_killed_goes_on_with_an_empty_disk(bucket, tmp_path):
    def start(disk):
        disk.mkdir()
        words = ("--config_path", TINY, *JOB, *places(disk), "--batch_size", 8, "--max_epoch", 24, "--eval_interval", 8)
        return start_command("scripts/launch.py", "--num_devices", 2, PROJECT_ROOT / "train.py", *words, cwd=disk)

    def epoch_in_the_bucket():
        if "tiny/ckpt/last.ckpt" not in names(bucket):
            return 0
        (tmp_path / "seen.ckpt").write_bytes(bucket.get("out/tiny/ckpt/last.ckpt"))
        return load_checkpoint(tmp_path / "seen.ckpt").meta["epoch"]

    first, second = tmp_path / "first", tmp_path / "second"
    job = start(first)
    end = time.monotonic() + LIMIT
    while epoch_in_the_bucket() < 2:
        assert job.poll() is None, job.communicate()
        assert time.monotonic() < end, "no checkpoint came"
        time.sleep(0.5)
    job.kill()
    job.communicate()
    time.sleep(1.0)  # its processes end with it
    epoch = epoch_in_the_bucket()
    shutil.rmtree(first)

    job = start(second)
    out, err = job.communicate(timeout=LIMIT)
    assert job.returncode == 0, out + err
    assert f"resumed from {second}/out/tiny/ckpt/last.ckpt at epoch {epoch + 1}, step " in out
    assert epoch_in_the_bucket() == 24
    records = [json.loads(line) for line in bucket.get("out/tiny/metrics.jsonl").decode().splitlines()]
    assert [record["epoch"] for record in records] == list(range(1, 25))
    assert {"tiny/ckpt/best.ckpt", "tiny/train.log", "rank_1/rank.log"} <= names(bucket)
    assert bucket.get("out/tiny/train.log").decode().count("run folder ") == 2
