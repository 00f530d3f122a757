"""Lost server: which of a job's servers can no longer be reached, asked of the scheduler's log or of the network."""

from __future__ import annotations

import re
import socket
from pathlib import Path

from src.runtime.cluster import Cluster

PROBE_TIMEOUT = 5.0  # seconds
_TIMED_OUT = re.compile(r"Timed out node list is: [^{\n]*\{([\d, ]+)\}")


def lost_server(cluster: Cluster, scheduler_log: Path) -> str:
    """One sentence that names the lost server; "" when this server reaches all others, or is the only one.

    Args:
        scheduler_log: knows the ranks whose heartbeat has stopped, where the ranks meet on this server. Another server
            can only tell whether it reaches the meeting place.
    """
    if len(cluster.servers) < 2 or cluster.by_table:
        return ""
    return _silent_servers(cluster, scheduler_log) if cluster.is_meeting_place else _unreachable_meeting_place(cluster)


def _silent_servers(cluster: Cluster, scheduler_log: Path) -> str:
    log = scheduler_log.read_text(encoding="utf-8", errors="replace") if scheduler_log.exists() else ""
    silent = {int(rank) for ranks in _TIMED_OUT.findall(log) for rank in ranks.split(",")}
    silent -= {local.rank for local in cluster.local}
    lost = [server for server in cluster.servers if silent & set(server.ranks)]
    if not lost:
        return ""
    names = ", ".join(f"{server.name} (rank {', '.join(map(str, server.ranks))})" for server in lost)
    return f"{names} was lost: its heartbeat has stopped; see whether it runs, and its own messages"


def _unreachable_meeting_place(cluster: Cluster) -> str:
    name = f"{cluster.servers[0].name} ({cluster.host}:{cluster.port}), where the ranks meet,"
    try:
        socket.create_connection((cluster.host, cluster.port), timeout=PROBE_TIMEOUT).close()
    except ConnectionRefusedError:
        return f"{name} has ended its part of the job; see its own messages"
    except OSError as error:
        return f"{name} was lost: it cannot be reached ({error.strerror or error})"
    return ""
