"""Rank tables: the three formats, waiting for a cloud's table, merging, and every mistake."""

from __future__ import annotations

import copy
import json
import threading
import time

import pytest

from src.config import UserError
from src.runtime.rank_table import MODELARTS_NAME, merged, parse_rank_table, read_rank_table


def _devices(*numbers: int, first_rank: int = 0) -> list[dict]:
    return [
        {"device_id": str(number), "device_ip": f"192.1.{number}.{first_rank}", "rank_id": str(first_rank + place)}
        for place, number in enumerate(numbers)
    ]


ONE_SERVER = {
    "version": "1.0",
    "server_count": "1",
    "server_list": [{"server_id": "192.168.0.25", "device": _devices(4, 5), "host_nic_ip": "reserve"}],
    "status": "completed",
}
TWO_SERVERS = {
    "version": "1.0",
    "server_count": "2",
    "server_list": [
        {"server_id": "10.0.0.2", "device": _devices(0, 1, first_rank=2)},
        {"server_id": "10.0.0.1", "device": _devices(0, 1)},
    ],
    "status": "completed",
}
SUPER_POD = {
    "version": "1.2",
    "status": "completed",
    "server_count": "1",
    "server_list": [
        {
            "server_id": "node_0",
            "host_ip": "172.16.0.100",
            "device": [
                {
                    "device_id": "0",
                    "super_device_id": "0",
                    "device_ip": "192.168.1.6",
                    "device_port": "16666",
                    "rank_id": "0",
                }
            ],
        }
    ],
    "super_pod_list": [{"super_pod_id": "0", "server_list": [{"server_id": "node_0"}]}],
}


def _instance(number: int, server: str, *devices: int) -> dict:
    entries = [{"device_id": str(device), "device_ip": f"192.1.{number}.{device}"} for device in devices]
    return {"pod_name": f"job-trainjob-{number}", "server_id": server, "devices": entries}


# Pod 10 comes after pod 2: by the number, not by the letters.
TEMPLATE = {
    "group_count": "1",
    "group_list": [
        {
            "group_name": "job-trainjob",
            "device_count": "4",
            "instance_count": "3",
            "instance_list": [
                _instance(10, "192.168.0.25", 6),
                _instance(2, "192.168.0.26", 1, 0),
                _instance(0, "192.168.0.25", 4),
            ],
        }
    ],
    "status": "completed",
}


def _ranks(table) -> dict[str, list[tuple[int, int]]]:
    """{server: [(rank, device), ...]}"""
    return {server.server_id: [(each.rank, each.device_id) for each in server.devices] for server in table.servers}


def test_format_1_0():
    assert _ranks(parse_rank_table(ONE_SERVER)) == {"192.168.0.25": [(0, 4), (1, 5)]}
    table = parse_rank_table(TWO_SERVERS)
    assert list(_ranks(table)) == ["10.0.0.1", "10.0.0.2"]  # by rank, not as listed
    assert table.num_ranks == 4


@pytest.mark.parametrize("content", [ONE_SERVER, SUPER_POD])
def test_a_table_is_written_as_it_was_read(content):
    assert parse_rank_table(content).as_dict() == content


def test_the_super_pod_format_has_addresses_beside_names():
    (server,) = parse_rank_table(SUPER_POD).servers
    assert (server.server_id, server.address) == ("node_0", "172.16.0.100")


def test_the_old_template_is_numbered_by_pods_and_written_as_1_0():
    table = parse_rank_table(TEMPLATE)
    assert _ranks(table) == {"192.168.0.25": [(0, 4), (3, 6)], "192.168.0.26": [(1, 1), (2, 0)]}
    assert parse_rank_table(table.as_dict()) == table
    assert table.as_dict()["version"] == "1.0"


def test_a_server_is_found_by_any_of_its_addresses():
    table = parse_rank_table(TWO_SERVERS)
    assert table.server_at(["127.0.0.1", "10.0.0.2", "name"]).server_id == "10.0.0.2"
    assert parse_rank_table(SUPER_POD).server_at(["172.16.0.100"]).server_id == "node_0"
    with pytest.raises(UserError, match="t.json is for another server: it lists 10.0.0.1, 10.0.0.2, this machine is x"):
        table.server_at(["x"], "t.json")
    with pytest.raises(UserError, match="is for several servers"):
        table.server_at(["10.0.0.1", "10.0.0.2"])


def test_the_folder_of_modelarts_will_do_and_completion_is_waited_for(tmp_path, monkeypatch):
    monkeypatch.setattr("src.runtime.rank_table.PAUSE", 0.05)
    file = tmp_path / MODELARTS_NAME
    file.write_text(json.dumps({**ONE_SERVER, "status": "initializing"}))

    def complete():
        time.sleep(0.3)
        file.write_text(json.dumps(ONE_SERVER))

    threading.Thread(target=complete).start()
    assert read_rank_table(tmp_path, deadline=20) == parse_rank_table(ONE_SERVER)


def test_a_table_that_is_not_completed_in_time_is_named(tmp_path):
    file = tmp_path / "t.json"
    file.write_text(json.dumps({**ONE_SERVER, "status": "initializing"}))
    with pytest.raises(UserError) as error:
        read_rank_table(file, deadline=0.1)
    assert str(error.value) == f"rank table {file}: its status is still 'initializing', not 'completed': check the job"


def test_tables_are_merged_in_the_order_of_their_server_ids():
    other = copy.deepcopy(ONE_SERVER)
    other["server_list"][0]["server_id"] = "192.168.0.24"
    other["server_list"][0]["device"] = _devices(0, 1, 2, first_rank=0)
    table = merged([parse_rank_table(ONE_SERVER), parse_rank_table(other)])
    assert _ranks(table) == {"192.168.0.24": [(0, 0), (1, 1), (2, 2)], "192.168.0.25": [(3, 4), (4, 5)]}
    with pytest.raises(UserError, match="server 192.168.0.25 is listed twice"):
        merged([parse_rank_table(ONE_SERVER)] * 2)


def _changed(content: dict, change) -> dict:
    content = copy.deepcopy(content)
    change(content["server_list"][0]["device"])
    return content


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({}, "neither server_list"),
        ({"server_list": []}, "it has no entries in server_list"),
        ({"server_list": ["x"]}, "it has no entries in server_list"),
        ({"server_list": [{"device": _devices(0)}]}, "a server has no server_id"),
        ({"server_list": [{"server_id": "a"}]}, "server a has no entries in device"),
        ({"group_list": [{"instance_list": []}]}, "a group has no entries in instance_list"),
        (
            {"group_list": [{"instance_list": [_instance(0, "a", 0) | {"pod_name": "pod"}]}]},
            "pod_name pod does not end",
        ),
        ({**ONE_SERVER, "server_count": "2"}, "server_count is 2, but it lists 1 servers"),
        (_changed(ONE_SERVER, lambda devices: devices[0].update(rank_id="x")), "rank_id is 'x', a whole number"),
        (_changed(ONE_SERVER, lambda devices: devices[0].pop("device_id")), "device_id is '', a whole number"),
        (_changed(ONE_SERVER, lambda devices: devices[1].update(rank_id="0")), "rank_id 0 occurs twice"),
        (_changed(ONE_SERVER, lambda devices: devices[1].update(rank_id="2")), "ranks are not 0 to 1"),
        (_changed(ONE_SERVER, lambda devices: devices[1].update(device_id="4")), "has device_id 4 twice"),
        (_changed(ONE_SERVER, lambda devices: devices[1].update(device_ip="192.1.4.0")), "device_ip 192.1.4.0 occurs"),
    ],
)
def test_what_is_wrong_with_a_table_is_said_with_its_file(tmp_path, content, message):
    file = tmp_path / "t.json"
    file.write_text(json.dumps(content))
    with pytest.raises(UserError) as error:
        read_rank_table(file, deadline=0)
    assert str(error.value).startswith(f"rank table {file}: ")
    assert message in str(error.value)


@pytest.mark.parametrize("text", ["{", "[]", "[" * 100_000, "\x00"])
def test_a_file_that_is_no_table(tmp_path, text):
    file = tmp_path / "t.json"
    file.write_text(text)
    with pytest.raises(UserError, match=f"rank table {file}"):
        read_rank_table(file, deadline=0)


def test_a_missing_file(tmp_path):
    with pytest.raises(
        UserError, match="cannot be read .No such file or directory.: write one by scripts/hccl_tools.py"
    ):
        read_rank_table(tmp_path / "none.json", deadline=0)
