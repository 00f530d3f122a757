"""Transfers through a service that fails: what is retried, what is given up, what is left behind."""

from __future__ import annotations

import json
import os
import threading

import boto3
import pytest
from moto.core.authorization import enable_iam_authentication

from src.config import RemoteFault, UserError
from src.runtime.storage import connect, download_tree, list_files, make_folder, parse_location, upload_tree
from src.runtime.storage.content import PART_BYTES

DATA = parse_location("s3://zoo/data", "data_url")
FAULTS = ["500", "503", "reset", "cut", "slow"]


@pytest.fixture
def impatient(monkeypatch):
    """Short pauses between attempts."""
    monkeypatch.setattr("src.runtime.storage.client.ATTEMPTS", 2)
    monkeypatch.setattr("src.runtime.storage.client.READ_TIMEOUT", 1)
    monkeypatch.setattr("src.runtime.storage.retry.FIRST_PAUSE", 0.01)


@pytest.fixture
def folder(tmp_path):
    """Small files, and one that goes in parts."""
    source = tmp_path / "source"
    source.mkdir()
    for number in range(12):
        (source / f"{number}.png").write_bytes(bytes([number]) * 1000)
    (source / "large.tar").write_bytes(os.urandom(2 * PART_BYTES))
    return source


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_in_between_are_survived(server, proxy, folder, tmp_path, fault, impatient):
    proxy.faults.extend([fault] * 4)
    upload_tree(connect(), folder, DATA)
    assert not proxy.faults
    assert {key: server.get(key) for key in server.list_keys()} == {f"data/{k}": v for k, v in contents(folder).items()}
    proxy.faults.extend([fault] * 4)
    download_tree(connect(), DATA, tmp_path / "target")
    assert not proxy.faults
    assert contents(tmp_path / "target") == contents(folder)


def test_a_service_that_stays_broken_is_told_in_one_line(server, proxy, folder, tmp_path, impatient):
    server.put_folder(folder, "data")
    proxy.always, proxy.befalls = "503", lambda _method, path: "list-type" not in path and "large" not in path
    target = tmp_path / "target"
    with pytest.raises(RemoteFault) as told:
        download_tree(connect(), DATA, target)
    line = str(told.value)
    assert line.startswith("download s3://zoo/data: 1 of 13 files, 16.8 MB in ")
    assert "; failed: s3://zoo/data/0.png: the service answered 503 SlowDown: by the test; s3://" in line
    assert line.endswith("by the test (+9 more)")
    assert "\n" not in line
    assert contents(target) == {"large.tar": (folder / "large.tar").read_bytes()}
    proxy.always = ""
    assert "12 of 12 files" in download_tree(connect(), DATA, target)
    assert contents(target) == contents(folder)


def test_a_broken_service_is_not_asked_for_every_file(server, proxy, tmp_path, impatient):
    for number in range(200):
        server.put(f"data/{number}")
    proxy.always, proxy.befalls = "500", lambda _method, path: "list-type" not in path
    with pytest.raises(RemoteFault, match="0 of 200 files"):
        download_tree(connect(), DATA, tmp_path / "target")
    assert proxy.requests < 40 * 2 * 5  # 16 files at a time, 2 requests each in 5 attempts


def test_the_server_restarts_in_the_middle(server, folder, tmp_path):
    restart = threading.Thread(target=server.restart, args=[2.0])
    restart.start()
    try:
        upload_tree(connect(), folder, DATA)
    finally:
        restart.join()
    assert {key.removeprefix("data/") for key in server.list_keys()} == set(contents(folder))


def test_no_server(server, monkeypatch, impatient):
    monkeypatch.setenv("S3_ENDPOINT", "127.0.0.1:9")
    with pytest.raises(RemoteFault, match="^s3://zoo/data: not reached at http://127.0.0.1:9/.*: check S3_ENDPOINT$"):
        list_files(connect(), DATA)


def test_no_permission(server, tmp_path, monkeypatch):
    (tmp_path / "new").write_bytes(b"x")
    server.put("data/x")
    _become(monkeypatch, server, "reader", ["s3:ListBucket", "s3:GetObject"])
    with enable_iam_authentication():
        download_tree(connect(), DATA, tmp_path / "target")
        with pytest.raises(UserError, match="^s3://zoo/data/new: no permission: check the credentials and the bucket"):
            upload_tree(connect(), tmp_path, DATA)
        with pytest.raises(UserError, match="^s3://zoo/results: no permission: check"):
            make_folder(connect(), parse_location("s3://zoo/results", "train_url"))
    _become(monkeypatch, server, "nobody", ["s3:DeleteObject"])
    with enable_iam_authentication(), pytest.raises(UserError, match="^s3://zoo/data: no permission: check"):
        list_files(connect(), DATA)
    assert server.list_keys() == ["data/x"]


def test_keys_that_are_not_known_or_wrong(server, monkeypatch):
    with enable_iam_authentication(), pytest.raises(UserError, match="^s3://zoo/data: the access key is not known"):
        list_files(connect(), DATA)
    _become(monkeypatch, server, "someone", ["s3:*"])
    monkeypatch.setenv("SECRET_ACCESS_KEY", "another")
    with enable_iam_authentication(), pytest.raises(UserError, match="^s3://zoo/data: the secret key is wrong"):
        list_files(connect(), DATA)


def _become(monkeypatch, server, name, actions):
    """Let this process's credentials be those of a new user who may do `actions` only."""
    own = {"region_name": "us-east-1", "aws_access_key_id": "a", "aws_secret_access_key": "a"}
    iam = boto3.session.Session().client("iam", endpoint_url=f"http://127.0.0.1:{server.port}", **own)
    iam.create_user(UserName=name)
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]}
    iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=json.dumps(policy))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    monkeypatch.setenv("ACCESS_KEY_ID", key["AccessKeyId"])
    monkeypatch.setenv("SECRET_ACCESS_KEY", key["SecretAccessKey"])
