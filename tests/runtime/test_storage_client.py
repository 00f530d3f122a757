"""Locations in a bucket, and the client that a job's environment makes: endpoint, addressing, credentials."""

from __future__ import annotations

import os
import sys

import pytest

from src.config import UserError
from src.runtime.storage import Location, connect, is_remote, parse_location

KEY_PAIRS = {
    "AWS": ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"),
    "OBS": ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SECURITY_TOKEN"),
}


@pytest.fixture(autouse=True)
def bare(monkeypatch, tmp_path):
    """No storage in the environment."""
    for name in list(os.environ):
        if name.startswith(("AWS_", "S3_")) or name in KEY_PAIRS["OBS"]:
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.mark.parametrize(
    ("text", "bucket", "key"),
    [
        ("s3://b/data", "b", "data"),
        ("obs://b/data/", "b", "data"),
        ("OBS://b", "b", ""),
        ("s3://b//x/y", "b", "x/y"),
        ("s3://b/a b#1?%41.jpg", "b", "a b#1?%41.jpg"),
    ],
)
def test_a_location_is_cut_at_its_slashes_only(text, bucket, key):
    assert is_remote(text)
    assert parse_location(text, "data_url") == Location(text[: text.index(":")].lower(), bucket, key)


def test_local_paths_and_other_services_are_not_remote():
    assert [is_remote(text) for text in ("", "/cache/data", "data", "https://b/x", "s3:/b", "file://x")] == [False] * 6
    with pytest.raises(UserError, match="^train_url: obs:// names no bucket: write obs://BUCKET/FOLDER$"):
        parse_location("obs://", "train_url")


def url_of(monkeypatch, bucket="zoo", **variables):
    """Where the client goes for the object `k`, without its signature."""
    for name, value in {"ACCESS_KEY_ID": "a", "SECRET_ACCESS_KEY": "b", **variables}.items():
        monkeypatch.setenv(name, value)
    return connect().generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "k"}).partition("?")[0]


@pytest.mark.parametrize(
    ("variables", "url"),
    [
        ({"S3_ENDPOINT": "obs.cn-north-4.myhuaweicloud.com"}, "https://zoo.obs.cn-north-4.myhuaweicloud.com/k"),
        ({"S3_ENDPOINT": "obs.eu.myhuaweicloud.eu", "S3_USE_HTTPS": "1"}, "https://zoo.obs.eu.myhuaweicloud.eu/k"),
        ({"S3_ENDPOINT": "10.0.0.1:9000", "S3_USE_HTTPS": "0"}, "http://10.0.0.1:9000/zoo/k"),
        ({"S3_ENDPOINT": "http://minio:9000"}, "http://minio:9000/zoo/k"),
        (
            {"AWS_ENDPOINT_URL_S3": "https://obs.cn-north-4.myhuaweicloud.com"},
            "https://zoo.obs.cn-north-4.myhuaweicloud.com/k",
        ),
        ({}, "https://zoo.s3.amazonaws.com/k"),
    ],
)
def test_the_endpoint_and_where_the_bucket_stands_in_it(monkeypatch, variables, url):
    assert url_of(monkeypatch, **variables) == url


def test_the_region_is_that_of_the_host(monkeypatch):
    monkeypatch.setenv("S3_ENDPOINT", "obs.cn-north-4.myhuaweicloud.com")
    assert connect().meta.region_name == "cn-north-4"
    monkeypatch.setenv("S3_ENDPOINT", "10.0.0.1")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    assert connect().meta.region_name == "eu-west-1"


def test_a_bucket_that_obs_cannot_serve(monkeypatch):
    monkeypatch.setenv("S3_ENDPOINT", "obs.cn-north-4.myhuaweicloud.com")
    with pytest.raises(UserError, match="^obs://a.b/x: OBS serves no bucket with a dot in its name"):
        connect(parse_location("obs://a.b/x", "data_url"))


def test_an_endpoint_that_is_none(monkeypatch):
    monkeypatch.setenv("S3_ENDPOINT", "not a host")
    with pytest.raises(UserError, match="^S3_ENDPOINT: Invalid endpoint: https://not a host: give a host like"):
        connect()


def test_credentials_and_their_order(monkeypatch, tmp_path):
    def found():
        credentials = connect()._request_signer._credentials
        return (credentials.access_key, credentials.secret_key, credentials.token) if credentials else None

    assert found() is None
    (tmp_path / "keys").write_text("[default]\naws_access_key_id = file\naws_secret_access_key = s\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "keys"))
    assert found() == ("file", "s", None)
    for kind in ("OBS", "AWS"):
        access, secret, token = KEY_PAIRS[kind]
        monkeypatch.setenv(access, f"{kind} key")
        monkeypatch.setenv(secret, f"{kind} secret")
        assert found() == (f"{kind} key", f"{kind} secret", None)
        monkeypatch.setenv(token, f"{kind} token")
        assert found() == (f"{kind} key", f"{kind} secret", f"{kind} token")


def test_nothing_secret_is_in_an_error(monkeypatch, caplog):
    monkeypatch.setenv("ACCESS_KEY_ID", "visible-to-none")
    monkeypatch.setenv("SECRET_ACCESS_KEY", "hidden-from-all")
    monkeypatch.setenv("S3_ENDPOINT", "bad host")
    with pytest.raises(UserError) as told:
        connect()
    assert "visible" not in str(told.value) + caplog.text
    assert "hidden" not in str(told.value) + caplog.text


def test_certificates_are_checked_unless_told_otherwise(monkeypatch):
    assert connect()._endpoint.http_session._verify is not False
    monkeypatch.setenv("S3_VERIFY_SSL", "0")
    assert connect()._endpoint.http_session._verify is False


def test_without_boto3_one_line_says_what_to_do(monkeypatch):
    monkeypatch.setitem(sys.modules, "boto3", None)
    with pytest.raises(UserError, match="^s3:// and obs:// locations need boto3: pip install boto3$"):
        connect()
