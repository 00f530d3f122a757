"""Public weights files of all origins through the command: the converted network gives the recorded logits."""

import mindspore as ms
import pytest

from tests.golden.conversions import CASES, lines

FAST = ("hlg_mobile zoo ckpt", "resnext50 zoo ckpt")


@pytest.fixture(autouse=True)
def eager():
    before = ms.get_context("mode")
    ms.set_context(mode=ms.PYNATIVE_MODE)
    yield
    ms.set_context(mode=before)


@pytest.mark.parametrize(
    "case", [name if name in FAST else pytest.param(name, marks=pytest.mark.slow) for name in CASES]
)
def test_logits_of_the_converted_network(case):
    for line in lines(CASES[case]):
        print(case, line)
        assert line.holds, line
