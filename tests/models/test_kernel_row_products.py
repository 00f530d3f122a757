"""The matrix products of linear layers against float64."""

import mindspore as ms
import numpy as np
import pytest
from mindspore import Tensor

from src.models.layers import linear
from src.models.layers.cpu.kernels import bias, row_products
from src.models.layers.cpu.kernels.row_products import OperatorLinear, RowLinear, RowProduct
from src.models.layers.cpu.rows import RowDense
from tests.support.kernels import NEEDS_COMPILER, assert_close, gradients, kernels, normal, set_num_threads

pytestmark = NEEDS_COMPILER
# Rows, channels of input and output: one of each, parts of tiles, vectors and squares, several parts and slices.
SIZES = [(1, 1, 1), (3, 5, 7), (300, 37, 3), (129, 16, 33), (1000, 50, 100), (7, 513, 65), (1, 64, 100), (2, 1, 600)]


@pytest.fixture(autouse=True)
def eager():
    ms.set_context(mode=ms.PYNATIVE_MODE)


def layer(form):
    return form() if form is OperatorLinear else form(kernels().kernels)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("form", [RowProduct, RowLinear, OperatorLinear])
def test_products_and_gradients(form, size):
    rows, channels, outputs = size
    x, weight, dy = normal(rows, channels), normal(outputs, channels, seed=1), normal(rows, outputs, seed=2)
    own_bias = normal(outputs, seed=3)
    biases = () if form is RowProduct else (own_bias,)
    y, (dx, dweight, *dbias), _ = gradients(layer(form), dy, x, weight, *biases)
    assert_close(y, x.astype(float) @ weight.T + (0 if form is RowProduct else own_bias))
    assert_close(dx, dy.astype(float) @ weight)
    assert_close(dweight, dy.T.astype(float) @ x)
    for found in dbias:
        assert_close(found, dy.astype(float).sum(0))


def test_a_row_that_is_no_number_stays_alone():
    x, weight = normal(20, 18), normal(33, 18, seed=1)
    x[7, 17] = np.nan
    y, (dx, dweight), _ = gradients(layer(RowProduct), np.ones((20, 33), np.float32), x, weight)
    assert np.isnan(y[7]).all() and np.isfinite(np.delete(y, 7, 0)).all() and np.isfinite(dx).all()
    assert np.isnan(dweight[:, 17]).all() and np.isfinite(dweight[:, :17]).all()


def test_results_depend_on_no_number_of_threads():
    results = set()
    for number in (1, 2, 5):
        set_num_threads(number)
        found = [normal(3000, 130), normal(70, 130, seed=1), normal(70, seed=2)]
        y, of_inputs, _ = gradients(layer(RowLinear), normal(3000, 70, seed=3), *found)
        results.add(b"".join(each.tobytes() for each in (y, *of_inputs)))
    assert len(results) == 1


@pytest.mark.parametrize("is_wide", [True, False])
def test_layers_take_the_faster_products(is_wide, monkeypatch):
    for module in (row_products, bias):
        monkeypatch.setattr(module, "has_wide_products", lambda _library: is_wide)
    plain, mixed = (linear(5, 4, kernels(), mixed=mixed) for mixed in (False, True))
    assert (type(plain) is RowDense, isinstance(mixed.matmul, RowProduct)) == (not is_wide, is_wide)
    x, weight, own_bias = normal(6, 5), normal(4, 5, seed=1), normal(4, seed=2)
    for each in (plain, mixed):
        each.weight.set_data(Tensor(weight))
        each.bias.set_data(Tensor(own_bias))
    assert_close(plain(Tensor(x)).asnumpy(), x @ weight.T + own_bias)
    product, left = mixed(Tensor(x))
    assert_close(product.asnumpy(), x @ weight.T)
    assert_close(left.asnumpy(), own_bias)
