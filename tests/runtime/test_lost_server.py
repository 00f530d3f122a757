"""The server that is named when a job of several servers breaks."""

import socket

import pytest

from src.runtime.cluster import Cluster, LocalRank, ServerRanks
from src.runtime.lost_server import lost_server

SERVERS = tuple(ServerRanks(f"server {number}", (2 * number, 2 * number + 1)) for number in range(3))
TIMED_OUT = (
    "RuntimeError: The total number of timed out node is 1. Timed out node list is: [const vector]{%s}, worker "
    "5 is the first one timed out, please check its log.\n"
)


@pytest.fixture
def verdict(tmp_path):
    """What the first of three servers says after a scheduler's log."""
    cluster = Cluster(6, (LocalRank(0, 0), LocalRank(1, 1)), servers=SERVERS)

    def say(log):
        (tmp_path / "scheduler.log").write_text(log)
        return lost_server(cluster, tmp_path / "scheduler.log")

    return say


def test_the_meeting_place_names_the_server_whose_ranks_are_silent(verdict):
    assert verdict(TIMED_OUT % "5, 4").startswith("server 2 (rank 4, 5) was lost: its heartbeat has stopped")
    assert verdict(TIMED_OUT % "2, 5").startswith("server 1 (rank 2, 3), server 2 (rank 4, 5) was lost")
    assert verdict(TIMED_OUT % "1") == ""  # a rank of its own
    assert verdict("waiting for the ranks") == ""


def test_another_server_names_the_meeting_place_that_it_does_not_reach(tmp_path):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        other = Cluster(6, (LocalRank(2, 0),), port=port, is_meeting_place=False, servers=SERVERS)
        assert lost_server(other, tmp_path / "none.log") == ""
    assert lost_server(other, tmp_path / "none.log") == (
        f"server 0 (127.0.0.1:{port}), where the ranks meet, has ended its part of the job; see its own messages"
    )
    # No TCP connection can be made to the broadcast address.
    away = Cluster(6, (LocalRank(2, 0),), host="255.255.255.255", is_meeting_place=False, servers=SERVERS)
    assert lost_server(away, tmp_path / "none.log").startswith(
        "server 0 (255.255.255.255:8118), where the ranks meet, was lost"
    )


def test_one_server_is_never_lost(tmp_path):
    assert lost_server(Cluster(2, (LocalRank(0, 0),), is_meeting_place=False), tmp_path / "none.log") == ""
