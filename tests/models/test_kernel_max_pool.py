"""The max-pool kernels, against the framework's operators."""

import mindspore as ms
import numpy as np
import pytest
from mindspore import Tensor, nn

from src.models.layers import LayerContext, ceil_max_pool_after_relu, max_pool_after_relu
from src.models.layers.cpu.kernels.max_pool import KernelMaxPool
from tests.support.kernels import NEEDS_COMPILER, gradients, kernels, normal, set_num_threads

pytestmark = NEEDS_COMPILER
BORDERS = ["pad", "same", "ceil"]


@pytest.fixture(autouse=True)
def eager():
    ms.set_context(mode=ms.PYNATIVE_MODE)


def layer(border, context=None):
    context = context or kernels()
    return ceil_max_pool_after_relu(context) if border == "ceil" else max_pool_after_relu(border, context)


def found(cell, x):
    """(output, gradient of x), whose dout is 1, 2, 3 ..."""
    shape = cell(Tensor(x)).shape
    y, (dx,), _ = gradients(cell, np.arange(1, np.prod(shape) + 1, dtype=np.float32).reshape(shape), x)
    return y, dx


def assert_same(border, x):
    for own, standard in zip(found(layer(border), x), found(layer(border, LayerContext()), x), strict=True):
        np.testing.assert_array_equal(own, standard)


@pytest.mark.parametrize("border", BORDERS)
@pytest.mark.parametrize(
    "shape", [(2, 3, 8, 10), (1, 1, 1, 1), (1, 2, 1, 6), (3, 1, 5, 1), (1, 2, 33, 47), (2, 1, 2, 16), (1, 1, 14, 15)]
)
def test_values_and_gradients(border, shape):
    assert_same(border, normal(*shape))


@pytest.mark.parametrize("border", BORDERS)
def test_of_equal_numbers_the_first_wins(border):
    assert_same(border, np.maximum(normal(2, 3, 9, 18), 0))
    assert_same(border, np.maximum(normal(2, 3, 18, 9), 0))


@pytest.mark.parametrize("border", ["pad", "ceil"])
def test_infinities_and_nan_as_with_the_framework(border):
    x = normal(1, 1, 40, 34)
    x[:, :, ::5, ::3] = np.nan
    x[:, :, 1:20, 7] = np.inf
    assert_same(border, x)
    assert_same(border, np.full((1, 1, 4, 4), -np.inf, np.float32))


@pytest.mark.parametrize("border", BORDERS)
def test_a_nan_reaches_the_guard(border):
    x = normal(1, 2, 6, 6)
    x[0, 1, 3, 3] = np.nan
    y, _ = found(layer(border), x)
    assert np.isnan(y[0, 1]).any() and np.isfinite(y[0, 0]).all()


@pytest.mark.parametrize("border", BORDERS)
def test_results_depend_on_no_number_of_threads(border):
    x, results = normal(4, 8, 50, 50), set()
    for number in (1, 2, 5):
        set_num_threads(number)
        results.add(b"".join(each.tobytes() for each in found(layer(border), x)))
    assert len(results) == 1


@pytest.mark.parametrize("border", BORDERS)
def test_compiled_it_equals_the_standard_formulation(border):
    ms.set_context(mode=ms.GRAPH_MODE)
    assert_same(border, normal(2, 3, 12, 13))


def test_where_it_is_chosen():
    for border in BORDERS:
        assert isinstance(layer(border), KernelMaxPool)
        assert not isinstance(layer(border, LayerContext(kernels=kernels().kernels, exporting=True)), KernelMaxPool)
    assert type(layer("pad", LayerContext())) is type(layer("same", LayerContext())) is nn.MaxPool2d
