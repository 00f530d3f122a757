"""Mixed precision of a configured network."""

import re

from tests.support.processes import run_python


def test_on_a_cpu_float16_is_warned_of_once():
    program = """
        import mindspore as ms
        from mindspore import nn
        from src.inference.networks import with_mixed_precision
        from src.runtime.logs import log_to_console
        ms.set_device("CPU")
        log_to_console()
        for amp_level in ("O0", "O2", "O2"):
            with_mixed_precision(nn.Dense(2, 2), amp_level)
    """
    finished = run_python(program)
    assert finished.returncode == 0, finished.stderr
    lines = [re.sub(r"^[-\d]+ [:\d]+:", "", line) for line in finished.stdout.splitlines()]
    assert lines == ["WARNING:amp_level O2: float16 is slower than float32 on a CPU; use --amp_level O0"]
