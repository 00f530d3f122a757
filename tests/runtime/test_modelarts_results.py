"""Results on their way to the bucket: while the work is done, and however it ends."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time

import pytest

from src.config import RemoteFault, read_config
from src.runtime.logs import get_logger
from src.runtime.modelarts.results import ResultsUpload, results_uploaded
from src.runtime.session import Session
from src.runtime.signals import StopRequest
from src.runtime.storage import parse_location
from src.runtime.storage.content import PART_BYTES

OUT = parse_location("s3://zoo/out", "train_url")


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Short pauses."""
    monkeypatch.setattr("src.runtime.storage.client.ATTEMPTS", 1)
    monkeypatch.setattr("src.runtime.storage.retry.FIRST_PAUSE", 0.01)


@pytest.fixture
def folder(tmp_path):
    """An output folder with a run in it."""
    folder = tmp_path / "out"
    (folder / "run/ckpt").mkdir(parents=True)
    (folder / "run/train.log").write_text("begun\n")
    return folder


@pytest.fixture
def log(caplog, monkeypatch):
    monkeypatch.setattr(get_logger(), "propagate", True)
    caplog.set_level(logging.INFO, logger=get_logger().name)
    return caplog


def uploaded(folder, rank=0, url="s3://zoo/out", interval=0.1):
    words = [
        "--backbone",
        "vig_ti",
        "--enable_modelarts=1",
        f"--train_url={url}",
        f"--output_path={folder}",
        f"--upload_interval={interval}",
    ]
    return results_uploaded(read_config(words).config.cloud, Session("CPU", rank, 2, ""))


def wait_for(condition):
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end, "the moment did not come"
        time.sleep(0.02)


def test_a_stop_request_has_the_results_uploaded_at_once(server, folder):
    with StopRequest() as stop, uploaded(folder, interval=3600):
        (folder / "run/ckpt/last.ckpt").write_bytes(b"one")
        os.kill(os.getpid(), signal.SIGTERM)
        wait_for(lambda: "out/run/ckpt/last.ckpt" in server.list_keys())
        assert stop.requested == "SIGTERM"
    assert signal.set_wakeup_fd(-1) == -1


def test_checkpoints_go_up_while_the_work_is_done(server, folder, log):
    with uploaded(folder):
        (folder / "run/ckpt/last.ckpt").write_bytes(b"one")
        wait_for(lambda: "out/run/ckpt/last.ckpt" in server.list_keys())
        new = folder / "new"
        new.write_bytes(b"two")
        os.replace(new, folder / "run/ckpt/last.ckpt")  # of the same size
        wait_for(lambda: server.get("out/run/ckpt/last.ckpt") == b"two")
        (folder / "run/ckpt/.last.partial-1.ckpt").write_bytes(b"half")
        (folder / "rank_1").mkdir()
        (folder / "rank_1/rank.log").write_text("another's")
        (folder / "run/report.html").write_text("end")
    assert server.list_keys() == ["out/run/ckpt/last.ckpt", "out/run/report.html", "out/run/train.log"]
    assert "uploaded run/ckpt/last.ckpt to s3://zoo/out" in log.text
    assert "results are in s3://zoo/out" in log.text


@pytest.mark.parametrize("error", [RuntimeError("lost"), KeyboardInterrupt(), SystemExit(1)])
def test_the_results_go_up_whatever_ends_the_work(server, folder, error):
    with pytest.raises(type(error)), uploaded(folder):
        (folder / "run/ckpt/last.ckpt").write_bytes(b"one")
        raise error
    assert server.get("out/run/ckpt/last.ckpt") == b"one"


def test_other_ranks_upload_a_log_of_their_own(server, folder, log):
    handlers = list(get_logger().handlers)
    try:
        with pytest.raises(RuntimeError), uploaded(folder, rank=1):
            raise RuntimeError("no memory")
    finally:
        get_logger().handlers[:] = handlers
    assert server.list_keys() == ["out/rank_1/rank.log"]
    assert "ERROR:rank 1: RuntimeError: no memory" in server.get("out/rank_1/rank.log").decode()


def test_a_failing_service_ends_no_training_but_the_job_says_where_the_results_are(server, proxy, folder, log):
    reached = []
    with pytest.raises(RemoteFault, match=f"^the results are in {folder} only: .* 500 InternalError"), uploaded(folder):
        proxy.always = "500"
        wait_for(lambda: "results not uploaded, tried again in 0.1 s" in log.text)
        reached.append(True)
    assert reached
    proxy.always = ""
    with pytest.raises(RuntimeError, match="the work's own"), uploaded(folder):
        proxy.always = "500"
        raise RuntimeError("the work's own")


def test_faults_that_pass_leave_no_trace(server, proxy, folder):
    with uploaded(folder):
        proxy.always = "503"
        (folder / "run/ckpt/last.ckpt").write_bytes(b"one")
        time.sleep(0.5)
        proxy.always = ""
        wait_for(lambda: "out/run/ckpt/last.ckpt" in server.list_keys())


def test_a_checkpoint_that_is_replaced_meanwhile_arrives_whole(server, folder):
    last, ended = folder / "run/ckpt/last.ckpt", threading.Event()
    size = 2 * PART_BYTES + 1

    def replace():
        while not ended.is_set():
            for letter in b"AB":
                (folder / ".last.partial-1.ckpt").write_bytes(bytes([letter]) * size)
                os.replace(folder / ".last.partial-1.ckpt", last)

    thread = threading.Thread(target=replace)
    thread.start()
    try:
        wait_for(last.exists)
        upload = ResultsUpload(folder, OUT, 0.1)
        for _ in range(4):
            upload.upload_new()
            content = server.get("out/run/ckpt/last.ckpt")
            assert (len(content), len(set(content))) == (size, 1)
    finally:
        ended.set()
        thread.join()


def test_a_log_that_grows_meanwhile_arrives_as_its_beginning(server, folder):
    log, ended = folder / "run/train.log", threading.Event()

    def grow():
        with log.open("a", buffering=1) as file:
            while not ended.wait(0.001) and file.tell() < 4 * PART_BYTES:
                file.write("x" * 99_999 + "\n")

    thread = threading.Thread(target=grow)
    thread.start()
    try:
        upload = ResultsUpload(folder, OUT, 0.1)
        for _ in range(5):
            upload.upload_new()
            assert log.read_bytes().startswith(server.get("out/run/train.log"))
    finally:
        ended.set()
        thread.join()


def test_what_is_in_the_bucket_already_stays(server, proxy, folder):
    ResultsUpload(folder, OUT, 0.1).upload_new()
    methods = []
    proxy.befalls = lambda method, _path: bool(methods.append(method))
    again = ResultsUpload(folder, OUT, 0.1)
    again.upload_new()
    again.upload_new()
    assert methods == ["GET"]  # the listing


def test_a_local_train_url_is_the_platforms_business(folder, monkeypatch):
    monkeypatch.setattr("src.runtime.modelarts.results.connect", None)
    with uploaded(folder, url=str(folder)):
        pass
