"""What the kernels' library knows of the processor, against the system's description."""

import os
from pathlib import Path

import pytest

from src.models.layers.cpu.kernels.library import has_wide_products
from tests.support.kernels import NEEDS_COMPILER, kernels

DESCRIPTION = Path("/proc/cpuinfo")

pytestmark = [NEEDS_COMPILER, pytest.mark.skipif(not DESCRIPTION.exists(), reason="Linux describes the processor")]


def test_products_are_wide_on_intels_processors_with_avx_512():
    words = set(DESCRIPTION.read_text().split())
    compiled_for_it = "KERNELS_FOR" not in os.environ
    assert has_wide_products(kernels().kernels) == (compiled_for_it and {"GenuineIntel", "avx512f"} <= words)
