"""Rank table: which device of which server has which rank, read from any of the formats that Ascend jobs meet.

Formats: the old template without a version (ModelArts calls it template 2), 1.0, and 1.2 with super-pods. A job in the
cloud may start before its table is complete, so reading waits for `"status": "completed"`.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from src.config import UserError

MODELARTS_NAME = "jobstart_hccl.json"  # of the file in the folder that ModelArts names
DEADLINE = 600.0  # seconds that a table may take to be completed
PAUSE = 1.0
COMPLETED = "completed"


@dataclass(frozen=True)
class RankedDevice:
    """A device with its rank.

    Attributes:
        device_id: its number on its server.
        rank: its number in the job.
        ip: address of its network interface, "" where it has none.
        more: further fields of its entry (super_device_id, device_port, ...), kept as they are.
    """

    device_id: int
    rank: int
    ip: str = ""
    more: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class RankedServer:
    """A server with its devices, in the order of their ranks.

    Attributes:
        server_id: its address, or a name of the cluster's.
        host_ip: its address where the id is a name, else "".
        more: further fields of its entry.
    """

    server_id: str
    devices: tuple[RankedDevice, ...]
    host_ip: str = ""
    more: Mapping[str, Any] = field(default_factory=dict)

    @property
    def address(self) -> str:
        """Where the other servers reach it."""
        return self.host_ip or self.server_id


@dataclass(frozen=True)
class RankTable:
    """All devices of a job.

    Attributes:
        servers: in the order of their first ranks.
        more: further fields of the table (super_pod_list), kept as they are.
    """

    servers: tuple[RankedServer, ...]
    more: Mapping[str, Any] = field(default_factory=dict)

    @property
    def num_ranks(self) -> int:
        """Devices on all servers."""
        return sum(len(server.devices) for server in self.servers)

    def server_at(self, addresses: Iterable[str], place: str = "the rank table") -> RankedServer:
        """The server that has one of `addresses` (or names).

        Raises:
            UserError: none has, or several have.
        """
        own = set(addresses)
        found = [server for server in self.servers if {server.server_id, server.host_ip} & own]
        if len(found) == 1:
            return found[0]
        listed = ", ".join(server.server_id for server in self.servers)
        what = "several servers" if found else "another server"
        raise UserError(
            f"{place} is for {what}: it lists {listed}, this machine is {', '.join(sorted(own))}: give --server_id "
            "with the one that is meant, or another table"
        )

    def as_dict(self) -> dict[str, Any]:
        """In format 1.0, or 1.2 where the table has super-pods."""
        return {
            "version": "1.2" if "super_pod_list" in self.more else "1.0",
            "server_count": str(len(self.servers)),
            "server_list": [_server_entry(server) for server in self.servers],
            "status": COMPLETED,
            **self.more,
        }


def _server_entry(server: RankedServer) -> dict[str, Any]:
    devices = [
        {
            "device_id": str(device.device_id),
            **({"device_ip": device.ip} if device.ip else {}),
            "rank_id": str(device.rank),
            **device.more,
        }
        for device in server.devices
    ]
    host = {"host_ip": server.host_ip} if server.host_ip else {}
    return {"server_id": server.server_id, **host, "device": devices, **server.more}


def read_rank_table(path: str | Path, deadline: float = DEADLINE) -> RankTable:
    """The table in a file, or in the folder that ModelArts names.

    Args:
        deadline: seconds to wait for the file and its completion.

    Raises:
        UserError: no file, not completed in time, or no table of a known format; ids that occur twice.
    """
    file = rank_table_file(path)
    content = _wait_for_completion(file, time.monotonic() + deadline)
    try:
        return parse_rank_table(content)
    except UserError as error:
        raise UserError(f"rank table {file}: {error}") from None


def rank_table_file(path: str | Path) -> Path:
    """The file that is meant, also by the folder that ModelArts names."""
    return Path(path) / MODELARTS_NAME if Path(path).is_dir() else Path(path)


def _wait_for_completion(file: Path, end: float) -> dict[str, Any]:
    """The content once it says that it is completed (a table that says nothing is)."""
    while True:
        content = _load(file)
        status = content.get("status", COMPLETED)
        if status == COMPLETED:
            return content
        if time.monotonic() >= end:
            raise UserError(f"rank table {file}: its status is still {status!r}, not {COMPLETED!r}: check the job")
        time.sleep(min(PAUSE, max(0.0, end - time.monotonic())))


def _load(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(
            f"rank table {file} cannot be read ({error.strerror}): write one by scripts/hccl_tools.py"
        ) from None
    except (ValueError, RecursionError) as error:
        raise UserError(f"rank table {file} is not valid JSON: {error}") from None
    if not isinstance(content, dict):
        raise UserError(f"rank table {file}: an object with server_list or group_list is expected")
    return content


def parse_rank_table(content: Mapping[str, Any]) -> RankTable:
    """A table's content in any format.

    Raises:
        UserError: a missing or malformed field, or an id, address or rank that occurs twice.
    """
    if "server_list" in content:
        servers = [_parse_server(entry) for entry in _entries(content, "server_list")]
    elif "group_list" in content:
        servers = _parse_template(content)
    else:
        raise UserError("it has neither server_list (formats 1.0 and 1.2) nor group_list (the old template)")
    known = {"version", "server_count", "server_list", "status", "group_count", "group_list"}
    table = RankTable(
        tuple(sorted(servers, key=lambda server: server.devices[0].rank)),
        {name: value for name, value in content.items() if name not in known} if "server_list" in content else {},
    )
    _check_count(content, table)
    _check_unique(table)
    return table


def _parse_server(entry: Mapping[str, Any]) -> RankedServer:
    server_id = _text(entry, "server_id", "a server")
    place = f"server {server_id}"
    devices = [_parse_device(device, place) for device in _entries(entry, "device", place)]
    more = {name: value for name, value in entry.items() if name not in {"server_id", "host_ip", "device"}}
    ranked = tuple(sorted(devices, key=lambda device: device.rank))
    return RankedServer(server_id, ranked, str(entry.get("host_ip", "")), more)


def _parse_device(entry: Mapping[str, Any], place: str) -> RankedDevice:
    more = {name: value for name, value in entry.items() if name not in {"device_id", "device_ip", "rank_id"}}
    device_id, rank = (_number(entry, name, place) for name in ("device_id", "rank_id"))
    return RankedDevice(device_id, rank, str(entry.get("device_ip", "")), more)


def _parse_template(content: Mapping[str, Any]) -> list[RankedServer]:
    """The old template: ranks follow the number at the end of the pod's name, then the order of the devices."""
    groups = _entries(content, "group_list")
    instances = [instance for group in groups for instance in _entries(group, "instance_list", "a group")]
    instances.sort(key=lambda instance: _pod_number(_text(instance, "pod_name", "an instance")))
    rank, by_server = 0, {}
    for instance in instances:
        server_id = _text(instance, "server_id", f"instance {instance['pod_name']}")
        for entry in _entries(instance, "devices", f"server {server_id}"):
            device_id = _number(entry, "device_id", f"server {server_id}")
            device = RankedDevice(device_id, rank, str(entry.get("device_ip", "")))
            by_server.setdefault(server_id, []).append(device)
            rank += 1
    return [RankedServer(server_id, tuple(devices)) for server_id, devices in by_server.items()]


def _pod_number(name: str) -> int:
    found = re.search(r"-(\d+)$", name)
    if found is None:
        raise UserError(f"pod_name {name} does not end in -NUMBER, which gives the order of the ranks")
    return int(found[1])


def _entries(content: Mapping[str, Any], name: str, place: str = "it") -> Sequence[Mapping[str, Any]]:
    entries = content.get(name)
    if not isinstance(entries, list) or not entries or not all(isinstance(entry, dict) for entry in entries):
        raise UserError(f"{place} has no entries in {name}")
    return entries


def _text(entry: Mapping[str, Any], name: str, place: str) -> str:
    value = entry.get(name)
    if not isinstance(value, str) or not value:
        raise UserError(f"{place} has no {name}")
    return value


def _number(entry: Mapping[str, Any], name: str, place: str) -> int:
    value = str(entry.get(name, ""))
    if not re.fullmatch(r"[0-9]{1,6}", value):
        raise UserError(f"{place}: {name} is {value!r}, a whole number is expected")
    return int(value)


def _check_count(content: Mapping[str, Any], table: RankTable) -> None:
    count = content.get("server_count")
    if count is not None and str(count) != str(len(table.servers)):
        raise UserError(f"server_count is {count}, but it lists {len(table.servers)} servers")


def _check_unique(table: RankTable) -> None:
    ranks = [device.rank for server in table.servers for device in server.devices]
    if sorted(ranks) != list(range(len(ranks))):
        twice = first_repeated(ranks)
        wrong = f"rank_id {twice} occurs twice" if twice is not None else f"ranks are not 0 to {len(ranks) - 1}"
        raise UserError(f"{wrong}: number the devices from 0 on, each once")
    server = first_repeated([server.server_id for server in table.servers])
    if server is not None:
        raise UserError(f"server {server} is listed twice: join its devices")
    for server in table.servers:
        twice = first_repeated([device.device_id for device in server.devices])
        if twice is not None:
            raise UserError(f"server {server.server_id} has device_id {twice} twice")
    address = first_repeated([device.ip for server in table.servers for device in server.devices if device.ip])
    if address is not None:
        raise UserError(f"device_ip {address} occurs twice")


def first_repeated(values: Sequence[Any]) -> Any:
    """The first value that occurs a second time; None when each occurs once."""
    seen = set()
    for value in values:
        if value in seen:
            return value
        seen.add(value)
    return None


def merged(tables: Sequence[RankTable]) -> RankTable:
    """The servers of several tables as one job, ranks numbered anew.

    The communication library wants ranks in the order of the server ids, so that is the order, whatever the tables'.

    Raises:
        UserError: a server or a device's address is in two tables.
    """
    servers, rank = [], 0
    for server in sorted((server for table in tables for server in table.servers), key=lambda each: each.server_id):
        devices = []
        for device in server.devices:
            devices.append(RankedDevice(device.device_id, rank, device.ip, device.more))
            rank += 1
        servers.append(RankedServer(server.server_id, tuple(devices), server.host_ip, server.more))
    table = RankTable(tuple(servers))
    _check_unique(table)
    return table
