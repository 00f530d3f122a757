"""The profile of a few steps."""

import logging

from src.callbacks.profiling import ProfileSteps, operator_times, profile_text
from src.callbacks.progress import Progress
from tests.support.training import train

TABLE = """op_type,type_occurrences,execution_frequency(per-step),total_compute_time,avg_time(ms),percent
Add,12,4,4.0,0.3,0.07
Conv2D,6,2,12.0,2.0,0.2
"""
LONG = [(f"Operator{number}", 2, 1.0) for number in range(14)]


def test_operators_come_from_the_profilers_table(tmp_path):
    (tmp_path / "run" / "FRAMEWORK").mkdir(parents=True)
    assert operator_times(tmp_path) == []
    (tmp_path / "run" / "FRAMEWORK" / "cpu_op_type_info_0.csv").write_text(TABLE)
    assert operator_times(tmp_path) == [("Conv2D", 6, 12.0), ("Add", 12, 4.0)]


def test_the_summary_tells_where_the_time_goes():
    text = profile_text([0.001, 0.003], [0.006, 0.006], [0.002, 0.002], [("Conv2D", 6, 12.0), ("Add", 12, 4.0)])
    assert text.splitlines() == [
        "profile of 2 steps: 10.0 ms per step: 2.0 ms (20%) waiting for data, 6.0 ms (60%) computing, "
        "2.0 ms (20%) in callbacks (log, evaluation, checkpoints)",
        "operator                           calls    ms/step  share",
        "Conv2D                                 3       6.00  75.0%",
        "Add                                    6       2.00  25.0%",
    ]


def test_many_operators_are_cut_short_and_none_are_no_table():
    lines = profile_text([0.0], [1.0], [0.0], LONG).splitlines()
    assert len(lines) == 2 + 12 + 1
    assert lines[-1] == "2 others                                       2.00  14.3%"
    assert len(profile_text([0.0], [1.0], [0.0], []).splitlines()) == 1


def test_a_run_of_a_few_steps_is_profiled(tmp_path, caplog):
    caplog.set_level(logging.INFO, logger="test.profile")
    profile = ProfileSteps(tmp_path / "profile", logging.getLogger("test.profile"))
    progress = Progress(1, 4, global_batch=1)
    train(progress, [[4.0, 3.0, 2.0, 1.0]], [profile, profile.closing])
    lines = (tmp_path / "profile" / "summary.txt").read_text().splitlines()
    assert lines[0].startswith("profile of 2 steps: ")  # two are skipped
    assert any(line.startswith("ReduceSum ") for line in lines)
    assert caplog.messages[:-1] == lines
