"""The device and what is set before the framework loads."""

import os

import mindspore as ms
import pytest

from src.runtime.device import clamp_workers, eagerly, prepare_process
from tests.support.processes import run_python

SELECT = """
    import sys
    from src.config import UserError
    from src.runtime.device import prepare_process, select_device
    prepare_process()
    try:
        select_device(sys.argv[1], 3, pynative=False)
    except UserError as error:
        print(error)
"""


def test_a_device_that_is_not_there_is_named_with_those_that_are():
    assert run_python(SELECT, "Ascend").stdout == (
        "device_target Ascend (device_id 3) is not available; this machine has CPU: use --device_target CPU\n"
    )


def test_the_cpu_is_selected_in_the_asked_mode():
    program = """
        from src.runtime.device import prepare_process, select_device
        prepare_process()
        import mindspore as ms
        for pynative in (True, False):
            select_device("CPU", 0, pynative=pynative)
            print(ms.get_context("device_target"), ms.get_context("mode") == ms.PYNATIVE_MODE)
    """
    assert run_python(program).stdout == "CPU True\nCPU False\n"


@pytest.mark.parametrize(("set_by_user", "in_force"), [(None, "AVX2"), ("AVX512_CORE", "AVX512_CORE"), ("", "")])
def test_the_instruction_set_limit_is_set_unless_the_user_has_set_it(set_by_user, in_force):
    program = """
        import os
        from src.runtime.device import prepare_process
        print(repr(prepare_process()), repr(os.environ["ONEDNN_MAX_CPU_ISA"]), os.environ["GLOG_v"])
    """
    finished = run_python(program, env={"ONEDNN_MAX_CPU_ISA": set_by_user, "GLOG_v": None})
    assert finished.stdout == f"{in_force!r} {in_force!r} 3\n"


def test_preparing_twice_changes_nothing():
    assert prepare_process() == prepare_process() == os.environ["ONEDNN_MAX_CPU_ISA"]


def test_workers_are_at_most_the_cores():
    assert clamp_workers(1) == 1
    assert clamp_workers(10_000) == os.cpu_count()


@pytest.mark.parametrize("mode", [ms.GRAPH_MODE, ms.PYNATIVE_MODE])
def test_nothing_is_compiled_for_a_while(mode):
    ms.set_context(mode=mode)
    with pytest.raises(ZeroDivisionError), eagerly():
        assert ms.get_context("mode") == ms.PYNATIVE_MODE
        1 / 0  # noqa: B018
    assert ms.get_context("mode") == mode
