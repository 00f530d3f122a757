"""The S3 server of the storage's tests."""

from __future__ import annotations

import os

import pytest

from tests.support.bucket import Server, environment, faulty_proxy


@pytest.fixture(scope="session")
def s3_server():
    server = Server()
    yield server
    server.close()


@pytest.fixture
def server(s3_server, monkeypatch):
    """The server with an empty bucket, found by this process's environment."""
    _enter(monkeypatch, s3_server.port)
    yield s3_server
    s3_server.clear()


@pytest.fixture
def proxy(server, monkeypatch):
    """A proxy in front of the server, found by this process's environment."""
    with faulty_proxy(server) as proxy:
        _enter(monkeypatch, proxy.server_port)
        yield proxy


def _enter(monkeypatch, port: int) -> None:
    wanted = environment(port)
    for name in set(os.environ) - set(wanted):
        monkeypatch.delenv(name)
    for name, value in wanted.items():
        monkeypatch.setenv(name, value)
