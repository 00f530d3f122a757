"""Ranks, as one process sees them."""

import numpy as np

from src.runtime.distributed import gather_over_ranks, join_group
from tests.support.processes import run_python


def test_without_a_launcher_this_is_the_only_rank():
    assert join_group() == (0, 1)


def test_one_rank_gathers_its_own_values():
    values = np.array([1.5, 2.0**40 + 1.0])
    (gathered,) = gather_over_ranks(values, rank=0, num_ranks=1)
    assert gathered.tolist() == [1.5, 1099511627777.0]


def test_launchers_are_recognised():
    program = """
        from src.runtime.distributed import is_scheduler, launched
        print(launched(), is_scheduler())
    """
    alone = {"MS_ROLE": None, "RANK_TABLE_FILE": None, "RANK_ID": None}
    cases = [{}, {"MS_ROLE": "MS_WORKER"}, {"MS_ROLE": "MS_SCHED"}, {"RANK_ID": "0", "RANK_TABLE_FILE": "t.json"}]
    cases += [{"RANK_ID": "0"}]
    printed = [run_python(program, env={**alone, **case}).stdout.strip() for case in cases]
    assert printed == ["False False", "True False", "True True", "True False", "False False"]
