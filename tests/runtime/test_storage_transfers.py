"""Files and folders to and from a bucket: names, contents, what is skipped, what is refused."""

from __future__ import annotations

import logging
import os
import subprocess
import time

import pytest

from src.config import UserError
from src.runtime.logs import get_logger
from src.runtime.storage import connect, download_file, download_tree, list_files, parse_location, upload_tree
from src.runtime.storage.content import PART_BYTES, etag_of
from src.runtime.storage.progress import TransferProgress

DATA = parse_location("s3://zoo/in/data", "data_url")
ODD_NAMES = [
    "a b#1?.jpg",
    "é/ü 数字.png",
    "%41.png",
    "A.png",
    "plus+and&=.png",
    "deep/er/file",
    ".hidden",
    "quote'\".txt",
]


def write_files(folder, names):
    for number, name in enumerate(names):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(f"{number} {name}".encode())
    return folder


def contents(folder):
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def test_odd_names_come_and_go_unchanged(server, tmp_path):
    source = write_files(tmp_path / "source", ODD_NAMES)
    upload_tree(connect(), source, DATA)
    assert sorted(server.list_keys()) == sorted(f"in/data/{name}" for name in ODD_NAMES)
    download_tree(connect(), DATA, tmp_path / "target")
    assert contents(tmp_path / "target") == contents(source)
    assert len(contents(source)) == len(ODD_NAMES)


def test_markers_and_sibling_prefixes_stay_in_the_bucket(server, tmp_path):
    for key in ("in/data/", "in/data/sub/", "in/data2/x", "in/dataset", "in/data", "other"):
        server.put(key, b"")
    server.put("in/data/sub/y")
    download_tree(connect(), DATA, tmp_path / "target")
    assert contents(tmp_path / "target") == {"sub/y": b"content"}
    assert [file.name for file in list_files(connect(), parse_location("obs://zoo", "data_url"))] == sorted(
        ["in/data", "in/data/sub/y", "in/data2/x", "in/dataset", "other"]
    )


def test_an_empty_file_and_one_in_parts(server, tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    (source / "empty").touch()
    (source / "large").write_bytes(os.urandom(3 * PART_BYTES + 5))
    upload_tree(connect(), source, DATA)
    etags = {file.name: file.etag for file in list_files(connect(), DATA)}
    assert etags == {name: etag_of(source / name) for name in ("empty", "large")}
    assert etags["large"].endswith("-4")
    download_tree(connect(), DATA, tmp_path / "target")
    assert contents(tmp_path / "target") == contents(source)


def test_what_is_there_is_not_transferred_again(server, tmp_path):
    source = write_files(tmp_path / "source", ["same", "touched", "changed"])
    assert "3 of 3 files" in upload_tree(connect(), source, DATA)
    target = tmp_path / "target"
    assert "3 of 3 files" in download_tree(connect(), DATA, target)
    assert "0 of 0 files" in download_tree(connect(), DATA, target)
    os.utime(target / "touched", (1, 1))
    (target / "changed").write_bytes(b"x" * len((source / "changed").read_bytes()))
    os.utime(target / "changed", (1, 1))
    assert "1 of 1 files" in download_tree(connect(), DATA, target)
    assert contents(target) == contents(source)
    # A checkpoint that is replaced keeps its size; neither its time nor the clocks may decide.
    (source / "changed").write_bytes(b"y" * len((source / "changed").read_bytes()))
    os.utime(source / "changed", (1, 1))
    os.utime(source / "same", None)
    assert "1 of 1 files" in upload_tree(connect(), source, DATA)
    assert server.get("in/data/changed") == (source / "changed").read_bytes()


def test_five_hundred_small_files(server, tmp_path):
    many_files(server, tmp_path, 500)


@pytest.mark.slow
def test_ten_thousand_small_files(server, tmp_path):
    many_files(server, tmp_path, 10_000)


def many_files(server, tmp_path, number):
    source = write_files(tmp_path / "source", [f"{index % 10}/{index}.png" for index in range(number)])
    assert f"{number} of {number} files" in upload_tree(connect(), source, DATA)
    assert len(server.list_keys("in/data/")) == number
    assert f"{number} of {number} files" in download_tree(connect(), DATA, tmp_path / "target")
    assert contents(tmp_path / "target") == contents(source)


@pytest.mark.slow
def test_a_file_of_a_gigabyte(server, tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    with (source / "large.tar").open("wb") as file:
        for _ in range(64):
            file.write(os.urandom(1 << 24))
    upload_tree(connect(), source, DATA)
    download_file(connect(), DATA / "large.tar", tmp_path / "large.tar")
    assert subprocess.run(["cmp", source / "large.tar", tmp_path / "large.tar"], check=False).returncode == 0


@pytest.mark.parametrize("key", ["../x", "a/../../x", "/x", "a//x", "./x", "a/."])
def test_keys_that_are_no_paths_inside_the_folder_are_refused(server, tmp_path, key):
    server.put("in/data/good")
    server.put(f"in/data/{key}")
    with pytest.raises(UserError, match="is no path inside .*: rename the object"):
        download_tree(connect(), DATA, tmp_path / "target")
    assert contents(tmp_path) == {}


def test_a_missing_folder_and_a_missing_object(server, tmp_path):
    server.put("in/data2/x")
    with pytest.raises(UserError, match="^s3://zoo/in/data: no such folder, or it is empty: check the path$"):
        download_tree(connect(), DATA, tmp_path)
    with pytest.raises(UserError, match="^s3://zoo/in/data/x.ckpt: no such object: check the path$"):
        download_file(connect(), DATA / "x.ckpt", tmp_path / "x.ckpt")
    assert contents(tmp_path) == {}


def test_a_wrong_bucket(server, tmp_path):
    wrong = parse_location("obs://zoos/data", "data_url")
    with pytest.raises(UserError, match="^obs://zoos/data: no such bucket: check its name and S3_ENDPOINT$"):
        download_tree(connect(), wrong, tmp_path)
    write_files(tmp_path, ["x"])
    with pytest.raises(UserError, match="no such bucket"):
        upload_tree(connect(), tmp_path, wrong)
    with pytest.raises(UserError, match="not a valid bucket name"):
        list_files(connect(), parse_location("s3://No Bucket/x", "data_url"))


def test_a_file_where_a_folder_must_be(server, tmp_path):
    server.put("in/data/a")
    server.put("in/data/a/b")
    with pytest.raises(UserError, match="rename it in the bucket, or empty the local folder"):
        download_tree(connect(), DATA, tmp_path / "target")


def test_no_credentials(server, tmp_path, monkeypatch):
    monkeypatch.delenv("ACCESS_KEY_ID")
    monkeypatch.delenv("SECRET_ACCESS_KEY")
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(UserError, match="^s3://zoo/in/data: no credentials found: set ACCESS_KEY_ID and"):
        download_tree(connect(), DATA, tmp_path)


def test_the_progress_is_told_now_and_then(monkeypatch, caplog):
    monkeypatch.setattr("src.runtime.storage.progress.LOG_INTERVAL", 0.0)
    monkeypatch.setattr(get_logger(), "propagate", True)
    caplog.set_level(logging.INFO, logger=get_logger().name)
    monkeypatch.setattr(time, "monotonic", iter([100.0, 110.0, 110.0, 120.0]).__next__)
    progress = TransferProgress("download s3://zoo/x", 4, 80_000_000)
    progress.add_file()
    progress.add_bytes(20_000_000)
    assert progress.close() == "download s3://zoo/x: 1 of 4 files, 20.0 MB in 20.0 s (1.0 MB/s)"
    assert caplog.messages == [
        "download s3://zoo/x: 4 files, 80.0 MB",
        "download s3://zoo/x: 1 of 4 files, 20.0 of 80.0 MB, 2.0 MB/s, 0:00:30 left",
    ]


@pytest.fixture
def full_disk(tmp_path):
    """A file system of one megabyte."""
    if os.geteuid() != 0:
        pytest.skip("a file system of one megabyte can be mounted by root only")
    small = tmp_path / "small"
    small.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", small], check=False).returncode:
        pytest.skip("this machine lets nobody mount a tmpfs")
    yield small
    subprocess.run(["umount", small], check=True)


def test_no_space(server, full_disk):
    server.put("in/data/fits", b"x" * 1000)
    download_tree(connect(), DATA, full_disk)
    server.put("in/data/large", b"x" * 2_000_000)
    with pytest.raises(UserError, match=r"no space: 0.002 GB are to come, 0.001 GB are free: choose a larger disk"):
        download_tree(connect(), DATA, full_disk)
    assert contents(full_disk) == {"fits": b"x" * 1000}


def test_a_disk_that_fills_up_meanwhile(server, full_disk, monkeypatch):
    monkeypatch.setattr("src.runtime.storage.transfers._check_space", lambda *_: None)
    server.put("in/data/large", b"x" * 2_000_000)
    with pytest.raises(UserError, match=f"^{full_disk}/large: no space left: choose a larger disk"):
        download_tree(connect(), DATA, full_disk)
    assert contents(full_disk) == {}
