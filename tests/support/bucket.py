"""A bucket in a real S3 server on loopback, and a proxy in front of it that fails as it is told."""

from __future__ import annotations

import http.client
import logging
import os
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from unittest.mock import patch

from moto.server import ThreadedMotoServer

from src.runtime.storage import connect

NAME = "zoo"
LOOPBACK = "127.0.0.1"
# Everything that may lead a client elsewhere.
OTHER_VARIABLES = ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_PROFILE", "AWS_SESSION_TOKEN", "SECURITY_TOKEN")


def environment(port: int, **changed: str | None) -> dict[str, str]:
    """The environment of a job whose storage is at a port of this machine; None removes a variable."""
    own = {
        "S3_ENDPOINT": f"{LOOPBACK}:{port}",
        "S3_USE_HTTPS": "0",
        "ACCESS_KEY_ID": "a-key",
        "SECRET_ACCESS_KEY": "a-secret",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    others = {key: value for key, value in os.environ.items() if key not in OTHER_VARIABLES}
    return {key: value for key, value in {**others, **own, **changed}.items() if value is not None}


class Server:
    """A server with one bucket, whose objects last until it is closed, also while it restarts.

    All servers of a process show the same bucket: moto keeps the objects in the process. So each leaves it empty.
    """

    def __init__(self) -> None:
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self._server = ThreadedMotoServer(ip_address=LOOPBACK, port=0, verbose=False)
        self._server.start()
        self.port = self._server.get_host_and_port()[1]
        with patch.dict(os.environ, environment(self.port), clear=True):
            self.client = connect()
        self.client.create_bucket(Bucket=NAME)

    def restart(self, pause: float) -> None:
        """Stop, and start again after `pause` seconds."""
        self._server.stop()
        threading.Event().wait(pause)
        self._server = ThreadedMotoServer(ip_address=LOOPBACK, port=self.port, verbose=False)
        self._server.start()

    def close(self) -> None:
        self.clear()
        self._server.stop()

    def put(self, key: str, content: bytes = b"content") -> None:
        self.client.put_object(Bucket=NAME, Key=key, Body=content)

    def get(self, key: str) -> bytes:
        return self.client.get_object(Bucket=NAME, Key=key)["Body"].read()

    def list_keys(self, prefix: str = "") -> list[str]:
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=NAME, Prefix=prefix)
        return [entry["Key"] for page in pages for entry in page.get("Contents", ())]

    def put_folder(self, folder: Path, prefix: str) -> None:
        """Upload a folder, one request a file."""
        for path in folder.rglob("*"):
            if path.is_file():
                self.put(f"{prefix}/{path.relative_to(folder).as_posix()}", path.read_bytes())

    def clear(self) -> None:
        keys = self.list_keys()
        for start in range(0, len(keys), 1000):
            objects = [{"Key": key} for key in keys[start : start + 1000]]
            self.client.delete_objects(Bucket=NAME, Delete={"Objects": objects, "Quiet": True})


class FaultyProxy(ThreadingHTTPServer):
    """Forwards to a server, except the requests for which a fault waits.

    Attributes:
        faults: taken one by one: "500", "503" (SlowDown), "reset" (no answer), "cut" (half of the answer),
            "slow" (an answer after two seconds).
        befalls: (method, path) -> whether a fault may befall this request.
        always: the fault of every further request; "" for none.
        requests: counts them all.
    """

    daemon_threads = True

    def __init__(self, port: int):
        super().__init__((LOOPBACK, 0), _Handler)
        self.target, self.faults, self.always, self.requests = port, deque(), "", 0
        self.befalls: Callable[[str, str], bool] = lambda _method, _path: True

    def next_fault(self, method: str, path: str) -> str:
        self.requests += 1
        if not self.befalls(method, path):
            return ""
        try:
            return self.faults.popleft()
        except IndexError:
            return self.always

    def handle_error(self, request, client_address) -> None:
        """A client that leaves is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _forward(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        fault = self.server.next_fault(self.command, self.path)
        if fault == "reset":
            return self._reset()
        if fault == "slow":
            time.sleep(2.0)
        if fault in ("500", "503"):
            code = "InternalError" if fault == "500" else "SlowDown"
            answer = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>by the test</Message></Error>".encode()
            return self._answer(int(fault), [("Content-Type", "application/xml")], answer, len(answer))
        connection = http.client.HTTPConnection(LOOPBACK, self.server.target, timeout=30)
        connection.request(self.command, self.path, body, dict(self.headers))
        response = connection.getresponse()
        content = response.read()
        connection.close()
        headers = [item for item in response.getheaders() if item[0].lower() not in ("content-length", "connection")]
        length = int(response.getheader("Content-Length") or len(content))
        if fault == "cut":
            self._answer(response.status, headers, content[: len(content) // 2], length)
            return self._reset()
        return self._answer(response.status, headers, content, length)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _forward  # noqa: N815 (the names that http.server calls)

    def _answer(self, status: int, headers: list[tuple[str, str]], content: bytes, length: int) -> None:
        self.send_response_only(status)
        for name, value in [*headers, ("Content-Length", str(length))]:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(b"" if self.command == "HEAD" else content)

    def _reset(self) -> None:
        self.wfile.flush()
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RD)
        self.connection.close()

    def log_message(self, *_arguments) -> None:
        """Silent."""


@contextmanager
def faulty_proxy(server: Server) -> Iterator[FaultyProxy]:
    """A proxy in front of a server, as long as the context lasts."""
    proxy = FaultyProxy(server.port)
    thread = threading.Thread(target=proxy.serve_forever, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.shutdown()
        proxy.server_close()
