"""scripts/hccl_tools.py, run as a user runs it. The driver's tool is not here: a script plays it."""

from __future__ import annotations

import json
import os

import pytest

from tests.support.commands import mistake, run_process

SCRIPT = "scripts/hccl_tools.py"
ANSWERS = """#!/bin/sh
[ "$1" = -i ] && [ "$3" = -ip ] && [ "$4" = -g ] || exit 1
[ "$2" -lt 12 ] || { echo "invalid device"; exit 1; }
printf 'ipaddr:192.98.92.1%02d\\nnetmask:255.255.255.0\\n' "$2"
"""


@pytest.fixture
def with_driver(tmp_path, monkeypatch):
    tool = tmp_path / "bin" / "hccn_tool"
    tool.parent.mkdir()
    tool.write_text(ANSWERS)
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tool.parent}:{os.environ['PATH']}")


def test_the_seeds_call_writes_eight_devices(tmp_path, with_driver):
    finished = run_process(SCRIPT, "--device_num", "[0,8)", "--server_ip", "10.1.2.3", cwd=tmp_path)
    assert finished.code == 0, finished.err
    table = json.loads((tmp_path / "hccl_8p_01234567_10.1.2.3.json").read_text())
    (server,) = table["server_list"]
    assert server["device"][7] == {"device_id": "7", "device_ip": "192.98.92.107", "rank_id": "7"}
    assert (table["version"], table["server_count"], table["status"]) == ("1.0", "1", "completed")


def test_more_than_nine_devices_and_chosen_ones(tmp_path, with_driver):
    for words in (["--device_num", "[8,12)"], ["--visible_devices", "11,2"]):
        finished = run_process(SCRIPT, *words, "--output", f"{words[0][2:]}.json", cwd=tmp_path)
        assert finished.code == 0, finished.err
    chosen = [
        [
            (device["device_id"], device["rank_id"])
            for device in json.loads(path.read_text())["server_list"][0]["device"]
        ]
        for path in (tmp_path / "device_num.json", tmp_path / "visible_devices.json")
    ]
    assert chosen == [[("8", "0"), ("9", "1"), ("10", "2"), ("11", "3")], [("2", "0"), ("11", "1")]]


def test_tables_of_two_servers_become_one(tmp_path):
    for address in ("10.0.0.2", "10.0.0.1"):
        words = [
            "--device_target",
            "CPU",
            "--device_num",
            "[0,2)",
            "--server_ip",
            address,
            "--output",
            f"{address}.json",
        ]
        assert run_process(SCRIPT, *words, cwd=tmp_path).code == 0
    finished = run_process(SCRIPT, "--merge", "10.0.0.2.json", "10.0.0.1.json", cwd=tmp_path)
    assert finished.out.splitlines() == [
        "hccl_2s_4p.json: 4 ranks on 2 servers",
        "  10.0.0.1  rank 0 = device 0, 1 = device 1",
        "  10.0.0.2  rank 2 = device 0, 3 = device 1",
    ]
    assert run_process(SCRIPT, "--check", "hccl_2s_4p.json", cwd=tmp_path).out == finished.out


def test_mistakes_end_with_one_line(tmp_path, with_driver):
    def said(*words: str, **options) -> str:
        return mistake(run_process(SCRIPT, *words, cwd=tmp_path, **options))

    assert 'a half-open range like "[0,8)" is expected' in said("--device_num", "[8,0)")
    assert "names a device twice" in said("--visible_devices", "1,1")
    assert "both name the devices" in said("--visible_devices", "1", "--device_num", "[0,1)")
    assert "names no address (invalid device): is there a device 12?" in said("--device_num", "[12,13)")
    (tmp_path / "kept.json").write_text("mine")
    words = ["--device_target", "CPU", "--output", "kept.json"]
    assert "kept.json exists and holds another table" in said(*words)
    assert (tmp_path / "kept.json").read_text() == "mine"


def test_without_the_driver_the_remedy_is_named(tmp_path):
    assert "for a trial on the processor give --device_target CPU" in mistake(run_process(SCRIPT, cwd=tmp_path))
