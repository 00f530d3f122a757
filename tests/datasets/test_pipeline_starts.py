"""A short form of `tests.support.pipeline_starts`, which says what it is about."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_no_start_of_a_pipeline_stands_still(tmp_path):
    program = [sys.executable, "-m", "tests.support.pipeline_starts"]
    started = [
        subprocess.Popen(
            [*program, str(tmp_path / str(seed)), "25", str(seed)], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        for seed in range(3)  # at once
    ]
    ways = [process.communicate()[0] for process in started]
    assert [process.returncode for process in started] == [0] * 3, ways
    assert all(len(way.split(", ")) == 3 for way in ways), ways
