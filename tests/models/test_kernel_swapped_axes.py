"""The kernel that exchanges two axes, against NumPy: it only moves numbers."""

import mindspore as ms
import numpy as np
import pytest

from src.models.layers import LayerContext, swapped_axes
from tests.support.kernels import NEEDS_COMPILER, gradients, kernels, normal, set_num_threads

pytestmark = NEEDS_COMPILER
SHAPES = [(2, 32, 64), (1, 1, 1), (3, 33, 65), (2, 1, 40), (1, 100, 7)]


@pytest.mark.parametrize("mode", [ms.PYNATIVE_MODE, ms.GRAPH_MODE])
@pytest.mark.parametrize("shape", SHAPES)
def test_outputs_and_gradients(shape, mode):
    ms.set_context(mode=mode)
    x, dy = normal(*shape), normal(shape[0], shape[2], shape[1], seed=1)
    x[0, 0, 0] = dy[0, 0, 0] = np.nan
    for number, context in ((1, kernels()), (5, kernels()), (1, LayerContext())):
        set_num_threads(number)
        y, (dx,), _ = gradients(swapped_axes(context), dy, x)
        np.testing.assert_array_equal(y, x.transpose(0, 2, 1))
        np.testing.assert_array_equal(dx, dy.transpose(0, 2, 1))
