"""How a process finds its job: which launcher's variables win, and what a rank table makes of them."""

import json
from pathlib import Path

import pytest

from src.runtime.placement import Placement, find_placement, rank_table_variables
from tests.support.user_errors import message_of

MSRUN = {"MS_ROLE": "MS_WORKER", "MS_WORKER_NUM": "2"}
MPI = {"OMPI_COMM_WORLD_SIZE": "4", "OMPI_COMM_WORLD_RANK": "1"}
TABLE = {"RANK_TABLE_FILE": "t.json", "RANK_ID": "1"}
ALONE = ""  # nothing to say

CASES = [
    ({}, Placement("", ALONE)),
    (MSRUN, Placement("msrun", "MS_ROLE=MS_WORKER")),
    ({"MS_ROLE": "MS_SCHED"}, Placement("msrun", "MS_ROLE=MS_SCHED", is_scheduler=True)),
    (MPI, Placement("OpenMPI", "OMPI_COMM_WORLD_SIZE=4")),
    (TABLE, Placement("rank table", "RANK_TABLE_FILE=t.json, RANK_ID=1", rank_table="t.json")),
    ({**MPI, **MSRUN}, Placement("msrun", "MS_ROLE=MS_WORKER")),
    ({**TABLE, **MPI}, Placement("OpenMPI", "OMPI_COMM_WORLD_SIZE=4")),
    ({**TABLE, **MPI, **MSRUN}, Placement("msrun", "MS_ROLE=MS_WORKER")),
    (
        {**TABLE, "RANK_TABLE_FILE_V_1_0": "v1.json"},
        Placement("rank table", "RANK_TABLE_FILE_V_1_0=v1.json, RANK_ID=1", rank_table="v1.json"),
    ),
    ({"RANK_TABLE_FILE": "t.json"}, Placement("", "RANK_TABLE_FILE is set, but RANK_ID is not")),
    ({"RANK_ID": "0"}, Placement("", ALONE)),
    ({"MS_ROLE": ""}, Placement("", ALONE)),
]


@pytest.mark.parametrize(("environment", "expected"), CASES)
def test_the_first_launcher_that_has_left_its_variables_is_it(environment, expected):
    assert find_placement(environment) == expected


def test_one_line_says_what_was_found_and_why():
    assert find_placement(MSRUN).describe(0, 2) == "cluster: 2 processes, this is rank 0 (msrun: MS_ROLE=MS_WORKER)"
    assert find_placement({}).describe(0, 1) == ""
    half = find_placement({"RANK_TABLE_FILE": "table.json"})
    assert half.describe(0, 1) == "cluster: 1 process (RANK_TABLE_FILE is set, but RANK_ID is not)"


def write(path, content):
    path.write_text(json.dumps(content))
    return str(path)


def variables(table, **environment):
    environment = {"RANK_TABLE_FILE": table, "RANK_ID": "1", **environment}
    return rank_table_variables(find_placement(environment), environment, deadline=0)


DEVICES = [{"device_id": str(4 + number), "rank_id": str(number)} for number in range(2)]
TEMPLATE = {
    "status": "completed",
    "group_list": [
        {"instance_list": [{"pod_name": "job-0", "server_id": "10.0.0.1", "devices": [{"device_id": "4"}]}]},
        {"instance_list": [{"pod_name": "job-1", "server_id": "10.0.0.2", "devices": [{"device_id": "6"}]}]},
    ],
}


def test_a_known_format_stays_where_it_is(tmp_path):
    table = write(tmp_path / "t.json", {"server_list": [{"server_id": "a", "device": DEVICES}]})
    expected = {"RANK_TABLE_FILE": table, "RANK_ID": "1", "RANK_SIZE": "2", "DEVICE_ID": "5"}
    assert variables(table) == expected
    # In a container the platform numbers the devices otherwise than the table, which knows the server's.
    assert variables(table, ASCEND_DEVICE_ID="0") == {**expected, "DEVICE_ID": "0"}


def test_the_old_template_is_converted_also_in_modelarts_folder(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    (tmp_path / "config").mkdir()
    write(tmp_path / "config" / "jobstart_hccl.json", TEMPLATE)
    found = variables(str(tmp_path / "config"))
    converted = json.loads(Path(found["RANK_TABLE_FILE"]).read_text())
    assert [server["device"][0]["rank_id"] for server in converted["server_list"]] == ["0", "1"]
    assert converted["version"] == "1.0"
    assert (found["DEVICE_ID"], found["RANK_SIZE"]) == ("6", "2")
    assert variables(str(tmp_path / "config")) == found


def test_what_does_not_agree_with_the_table_is_said(tmp_path):
    table = write(tmp_path / "t.json", {"server_list": [{"server_id": "a", "device": DEVICES}]})
    assert message_of(variables, table, RANK_ID="2") == "RANK_ID is 2, but the ranks of the rank table are 0 to 1"
    assert "RANK_SIZE is 8, but the rank table has 2 ranks" in message_of(variables, table, RANK_SIZE="8")
    waiting = write(tmp_path / "w.json", {"server_list": [{"server_id": "a", "device": DEVICES}], "status": "init"})
    assert "its status is still 'init'" in message_of(variables, waiting)
