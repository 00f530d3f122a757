"""Cluster: the ranks that this server runs, where all ranks meet, and the environment that tells a process so."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from pathlib import Path

from src.config import UserError
from src.runtime.machine import own_addresses
from src.runtime.rank_table import read_rank_table

MEETING_TIMEOUT = 600  # seconds that the ranks wait for each other
DEFAULT_PORT = 8118  # msrun's
LOOPBACK = "127.0.0.1"
# What an earlier or outer launcher may have left: a process must see one launcher only.
LAUNCHER_VARIABLES = ("MS_ROLE", "MS_NODE_ID", "RANK_ID", "DEVICE_ID", "RANK_SIZE", "RANK_TABLE_FILE")


@dataclass(frozen=True)
class LocalRank:
    """A rank of this server and its device."""

    rank: int
    device_id: int


@dataclass(frozen=True)
class ServerRanks:
    """A server of a job, by the name that messages give it, and its ranks."""

    name: str
    ranks: tuple[int, ...]


@dataclass(frozen=True)
class Cluster:
    """A job's processes as this server sees them.

    Attributes:
        num_ranks: over all servers.
        local: the ranks that run here.
        host, port: where the ranks meet.
        is_meeting_place: this server is that host, so the scheduler runs here.
        rank_table: its file, absolute; None without one.
        by_table: the devices' own library finds the ranks by the table (Ascend); else they meet at host and port.
        servers: all of them, that of the meeting place first; () where there is one.
    """

    num_ranks: int
    local: tuple[LocalRank, ...]
    host: str = LOOPBACK
    port: int = DEFAULT_PORT
    is_meeting_place: bool = True
    rank_table: Path | None = None
    by_table: bool = False
    servers: tuple[ServerRanks, ...] = ()

    def environment(self, local: LocalRank) -> dict[str, str]:
        """The variables of one rank's process."""
        own = {"RANK_ID": str(local.rank), "RANK_SIZE": str(self.num_ranks), "DEVICE_ID": str(local.device_id)}
        if self.rank_table is not None:
            own["RANK_TABLE_FILE"] = str(self.rank_table)
        if not self.by_table:
            own |= {**self._meeting, "MS_ROLE": "MS_WORKER", "MS_NODE_ID": str(local.rank)}
        return _base_environment() | own

    @property
    def scheduler_environment(self) -> dict[str, str] | None:
        """The variables of the process that the ranks meet at; None where it does not run here."""
        if self.by_table or not self.is_meeting_place:
            return None
        return _base_environment() | self._meeting | {"MS_ROLE": "MS_SCHED", "RANK_ID": "0"}

    @property
    def _meeting(self) -> dict[str, str]:
        return {
            "MS_SCHED_HOST": self.host,
            "MS_SCHED_PORT": str(self.port),
            "MS_WORKER_NUM": str(self.num_ranks),
            "MS_TOPO_TIMEOUT": str(MEETING_TIMEOUT),
        }


def _base_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in LAUNCHER_VARIABLES}


def one_server(num_devices: int, port: int | None = None) -> Cluster:
    """All ranks on this machine, at a free port unless one is given.

    Raises:
        UserError: the port is in use.
    """
    return Cluster(num_devices, _counted(num_devices), port=_checked_port(port))


def one_of_servers(num_devices: int, num_servers: int, server_rank: int, host: str, port: int | None) -> Cluster:
    """This machine's ranks among those of several servers with as many devices each, which meet at `host`.

    Raises:
        UserError: a rank that is none of these servers', an unknown host, or a port in use.
    """
    if not 0 <= server_rank < num_servers:
        raise UserError(f"--server_rank {server_rank} is none of 0 to {num_servers - 1} (--num_servers {num_servers})")
    address = _resolved(host)
    first = server_rank * num_devices
    is_here = address in own_addresses()
    if is_here != (server_rank == 0):
        raise UserError(
            f"--master {host}: is {'' if is_here else 'not '}an address of this machine, which has --server_rank "
            f"{server_rank}: give the address of the server with rank 0"
        )
    return Cluster(
        num_servers * num_devices,
        _counted(num_devices, first),
        host=address,
        port=_checked_port(port or DEFAULT_PORT) if is_here else port or DEFAULT_PORT,
        is_meeting_place=is_here,
        servers=tuple(
            ServerRanks(f"server {number}", tuple(range(number * num_devices, (number + 1) * num_devices)))
            for number in range(num_servers)
        ),
    )


def from_rank_table(path: Path, *, by_table: bool, server_id: str = "", port: int | None = None) -> Cluster:
    """This machine's ranks by a rank table; the ranks meet at its first server.

    Args:
        by_table: the devices' library reads the table itself.
        server_id: this machine's entry, where its addresses do not tell.

    Raises:
        UserError: see `read_rank_table`; the table is for another server; a port in use.
    """
    table = read_rank_table(path)
    server = table.server_at([server_id] if server_id else own_addresses(), f"rank table {path}")
    is_first = server is table.servers[0]
    is_alone = len(table.servers) == 1
    chosen = port if is_alone else port or DEFAULT_PORT
    return Cluster(
        table.num_ranks,
        tuple(LocalRank(device.rank, device.device_id) for device in server.devices),
        host=LOOPBACK if is_alone else table.servers[0].address,
        port=DEFAULT_PORT if by_table else _checked_port(chosen) if is_first else chosen,
        is_meeting_place=is_first,
        rank_table=path.resolve(),
        by_table=by_table,
        servers=tuple(
            ServerRanks(f"server {each.server_id}", tuple(device.rank for device in each.devices))
            for each in table.servers
        ),
    )


def _counted(number: int, first: int = 0) -> tuple[LocalRank, ...]:
    return tuple(LocalRank(first + device, device) for device in range(number))


def _resolved(host: str) -> str:
    try:
        return socket.gethostbyname(host)
    except OSError as error:
        raise UserError(f"--master {host}: no such host ({error})") from None


def _checked_port(port: int | None) -> int:
    """The port if it is free, or any free one; UserError when it is in use."""
    with socket.socket() as probe:
        # The connections of a job that has just ended hold its port for a minute; a restarted one may take it.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("", port or 0))
        except (OSError, OverflowError) as error:
            raise UserError(f"port {port} cannot be used ({error}): give another --master_port") from None
        return probe.getsockname()[1]


def visible_devices() -> int | None:
    """Number of devices that the environment lets this process use; None where it says nothing."""
    for name in ("ASCEND_RT_VISIBLE_DEVICES", "ASCEND_VISIBLE_DEVICES", "CUDA_VISIBLE_DEVICES"):
        listed = [part for part in os.environ.get(name, "").split(",") if part.strip()]
        if listed:
            return len(listed)
    return None
