"""The cluster: which ranks are here, where all meet, and what each process is told."""

from __future__ import annotations

import json
import socket

import pytest

from src.runtime import cluster
from src.runtime.cluster import LocalRank, from_rank_table, one_of_servers, one_server
from src.runtime.machine import own_addresses
from tests.support.user_errors import message_of

OWN = own_addresses()[0]


def write_table(path, *server_ids):
    servers = []
    for number, server_id in enumerate(server_ids):
        devices = [{"device_id": str(device), "rank_id": str(2 * number + device)} for device in range(2)]
        servers.append({"server_id": server_id, "device": devices})
    path.write_text(json.dumps({"version": "1.0", "server_list": servers, "status": "completed"}))
    return path


def test_one_server_meets_at_a_free_port_and_two_jobs_do_not_collide():
    first = one_server(2)
    with socket.socket() as holder:
        holder.bind(("", first.port))
        second = one_server(2)
        assert second.port != first.port
        message = message_of(one_server, 2, first.port)
    assert message.startswith(f"port {first.port} cannot be used")
    assert message.endswith("give another --master_port")
    assert first.local == (LocalRank(0, 0), LocalRank(1, 1))


def test_the_port_of_a_job_that_has_just_ended_can_be_taken_again():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            accepted, _ = server.accept()
            assert message_of(one_server, 2, port).startswith(f"port {port} cannot be used")
            accepted.close()  # the side that closes first keeps the address for a while
    assert one_server(2, port).port == port


def test_each_process_is_told_its_rank_and_nothing_of_an_outer_launcher(monkeypatch):
    monkeypatch.setenv("RANK_TABLE_FILE", "another")
    monkeypatch.setenv("MS_NODE_ID", "9")
    found = one_server(2, 0)
    told = found.environment(found.local[1])
    expected = {
        "MS_ROLE": "MS_WORKER",
        "MS_NODE_ID": "1",
        "MS_WORKER_NUM": "2",
        "MS_SCHED_HOST": "127.0.0.1",
        "MS_SCHED_PORT": str(found.port),
        "RANK_ID": "1",
        "RANK_SIZE": "2",
        "DEVICE_ID": "1",
    }
    assert expected.items() <= told.items()
    assert "RANK_TABLE_FILE" not in told
    scheduler = found.scheduler_environment
    assert (scheduler["MS_ROLE"], "MS_NODE_ID" in scheduler) == ("MS_SCHED", False)


def test_ranks_of_several_servers_are_numbered_through():
    port = one_server(1).port  # a free one
    first = one_of_servers(2, 3, 0, OWN, port)
    assert (first.num_ranks, first.is_meeting_place, first.port) == (6, True, port)
    assert one_of_servers(2, 3, 1, "203.0.113.9", None).port == 8118
    other = one_of_servers(2, 3, 2, "203.0.113.9", 9000)
    assert other.local == (LocalRank(4, 0), LocalRank(5, 1))
    assert (other.host, other.port, other.scheduler_environment) == ("203.0.113.9", 9000, None)


def test_a_rank_and_an_address_that_do_not_fit_are_named():
    assert "--server_rank 3 is none of 0 to 2" in message_of(one_of_servers, 2, 3, 3, OWN, None)
    assert "is not an address of this machine" in message_of(one_of_servers, 2, 2, 0, "203.0.113.9", None)
    assert "is an address of this machine" in message_of(one_of_servers, 2, 2, 1, OWN, None)
    assert "no such host" in message_of(one_of_servers, 2, 2, 1, "no.such.host.invalid", None)


def test_a_rank_table_tells_this_servers_part(tmp_path):
    path = write_table(tmp_path / "t.json", "203.0.113.9", OWN)
    found = from_rank_table(path, by_table=False, port=9000)
    assert found.local == (LocalRank(2, 0), LocalRank(3, 1))
    assert (found.num_ranks, found.host, found.port, found.is_meeting_place) == (4, "203.0.113.9", 9000, False)
    assert from_rank_table(path, by_table=False, server_id="203.0.113.9", port=9000).local[0] == LocalRank(0, 0)
    other = write_table(tmp_path / "o.json", "203.0.113.9", "203.0.113.10")
    assert f"rank table {other} is for another server" in message_of(from_rank_table, other, by_table=False)


def test_on_ascend_the_table_is_all_that_a_process_is_told(tmp_path):
    found = from_rank_table(write_table(tmp_path / "t.json", OWN), by_table=True)
    told = found.environment(found.local[1])
    assert {"RANK_TABLE_FILE": str(tmp_path / "t.json"), "RANK_ID": "1", "DEVICE_ID": "1"}.items() <= told.items()
    assert "MS_ROLE" not in told
    assert found.scheduler_environment is None


@pytest.mark.parametrize(("value", "number"), [("0,1,2", 3), ("5", 1), ("", None)])
def test_visible_devices(monkeypatch, value, number):
    for name in ("ASCEND_RT_VISIBLE_DEVICES", "ASCEND_VISIBLE_DEVICES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", value)
    assert cluster.visible_devices() == number
