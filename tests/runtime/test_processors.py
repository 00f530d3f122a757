"""How many processors a process may use."""

import os

import pytest

from src.runtime import processors
from src.runtime.processors import num_processors


@pytest.fixture
def limit(tmp_path, monkeypatch):
    """Writes the files of a control group, for a process that may run on 8 processors."""
    monkeypatch.setattr(processors, "CGROUPS", tmp_path)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)))

    def write(**files):
        (tmp_path / "cpu").mkdir(exist_ok=True)
        for name, text in files.items():
            (tmp_path / name.replace("__", "/").replace("_max", ".max").replace("cfs", "cpu.cfs")).write_text(text)

    return write


def test_without_a_limit_they_are_those_that_it_may_run_on(limit):
    assert num_processors() == 8
    limit(cpu_max="max 100000\n")
    assert num_processors() == 8


@pytest.mark.parametrize(("text", "expected"), [("200000 100000", 2), ("150000 100000", 2), ("20000 100000", 1)])
def test_a_limit_of_the_container_counts(limit, text, expected):
    limit(cpu_max=text)
    assert num_processors() == expected


@pytest.mark.parametrize(("quota", "expected"), [("-1", 8), ("300000", 3), ("5000000", 8)])
def test_so_does_one_of_the_first_version(limit, quota, expected):
    limit(cpu__cfs_quota_us=quota, cpu__cfs_period_us="100000")
    assert num_processors() == expected
