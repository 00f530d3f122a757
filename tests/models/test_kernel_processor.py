"""What the kernels' library knows of the processor, against the system's description."""

import os
from pathlib import Path

from src.models.layers.cpu.kernels.library import has_wide_products
from tests.support.kernels import NEEDS_COMPILER, kernels

DESCRIPTION = Path("/proc/cpuinfo")  # of Linux, the only system that the kernels are for

pytestmark = NEEDS_COMPILER


def test_products_are_wide_on_intels_processors_with_avx_512():
    words = set(DESCRIPTION.read_text().split())
    compiled_for_it = "KERNELS_FOR" not in os.environ
    assert has_wide_products(kernels().kernels) == (compiled_for_it and {"GenuineIntel", "avx512f"} <= words)
