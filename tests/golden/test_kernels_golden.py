"""The networks built from the CPU kernels, against the same numbers as those built from the framework's operators."""

import pytest

from tests.golden.processes import holds
from tests.support.kernels import NEEDS_COMPILER

pytestmark = NEEDS_COMPILER
SLOW = pytest.mark.slow


@pytest.mark.parametrize(
    ("fixture", "phase"),
    [
        ("vig_ti", "eval"),
        pytest.param("vig_ti", "train", marks=SLOW),
        pytest.param("pvig_ti", "eval", marks=SLOW),
        pytest.param("pvig_ti", "train", marks=SLOW),
        pytest.param("dgmn2_tiny", "eval", marks=SLOW),
        pytest.param("dgmn2_tiny", "train", marks=SLOW),
        pytest.param("hlg_mobile_zoo_ms", "eval", marks=SLOW),
        pytest.param("resnext50_32x4d", "eval", marks=SLOW),
        pytest.param("resnext50_32x4d", "train", marks=SLOW),
        pytest.param("resnext50_32x4d_samepool", "eval", marks=SLOW),
        pytest.param("dgcnet_97", "train", marks=SLOW),
    ],
)
def test_with_kernels(fixture, phase):
    assert holds(fixture, phase, "1", "kernels")
