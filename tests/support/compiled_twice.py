"""A cell compiled with the cache on: prints for each given factor where the graph is from, and values."""

import sys

from src.runtime.device import prepare_process

prepare_process()

import mindspore as ms  # noqa: E402
import numpy as np  # noqa: E402
from mindspore import nn  # noqa: E402

from src.runtime.compile_cache import CachedCell  # noqa: E402


class Scale(nn.Cell):
    """x -> factor * x."""

    def __init__(self, factor: float):
        super().__init__()
        self.factor = factor

    def construct(self, x):
        return x * self.factor


ms.set_context(mode=ms.GRAPH_MODE)
for factor in map(float, sys.argv[1:]):
    cell = CachedCell(Scale(factor), rank=0)
    values = [cell(ms.Tensor(np.ones(size, np.float32))).asnumpy() for size in (2, 3, 3)]
    print(f"{factor:g} {'loaded' if cell.loaded else 'compiled'} {values[0][0]:g} {values[1].sum():g}")
