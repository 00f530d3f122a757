"""The row-wise kernels, LayerNorm and the GELU between two linear layers, against float64."""

import mindspore as ms
import numpy as np
import pytest
from mindspore import Tensor, nn

from src.models.layers import LayerContext, gelu, layer_norm, linear_activation_linear, tanh_gelu
from src.models.layers.cpu.kernels import feed_forward, row_products
from src.models.layers.cpu.kernels.feed_forward import GeluLinear, GeluLinearFunction
from src.models.layers.cpu.kernels.layer_norm import KernelLayerNorm
from tests.support.kernels import NEEDS_COMPILER, activation, assert_close, gradients, kernels, normal, set_num_threads

pytestmark = NEEDS_COMPILER
EPSILON = 1e-6
GELUS = ["gelu", "tanh_gelu"]


@pytest.fixture(autouse=True)
def eager():
    ms.set_context(mode=ms.PYNATIVE_MODE)


def gelu_linear(name):
    return GeluLinearFunction(kernels().kernels, name)


def single(channels):
    """The weight (C, C) and the bias (C,) by which the output is the hidden rows themselves."""
    return np.eye(channels, dtype=np.float32), np.zeros(channels, np.float32)


@pytest.fixture(params=["own", "framework's"])
def products(request, monkeypatch):
    """Whose matrix products the linear layers take, each for itself."""
    monkeypatch.setattr(feed_forward, "MOST_WEIGHTS", 0)
    monkeypatch.setattr(row_products, "has_wide_products", lambda _library: request.param == "own")


def norm(channels):
    own = KernelLayerNorm(kernels().kernels, channels, EPSILON)
    own.gamma.set_data(Tensor(1 + 0.3 * normal(channels, seed=1)))
    own.beta.set_data(Tensor(0.5 * normal(channels, seed=2)))
    return own


@pytest.mark.parametrize("name", GELUS)
@pytest.mark.parametrize(("rows", "channels"), [(300, 37), (1, 1), (129, 16), (5, 512)])
@pytest.mark.usefixtures("products")
def test_bias_and_gelu(name, rows, channels):
    z, bias, dy = 2 * normal(rows, channels), normal(channels, seed=1), normal(rows, 3, seed=2)
    weight = normal(3, channels, seed=3) / 4
    own_bias = normal(3, seed=4)
    y, (dz, dbias, dweight, down_bias), _ = gradients(gelu_linear(name), dy, z, bias, weight, own_bias)
    hidden, slope = activation(name, z.astype(float) + bias)
    dhidden = dy.astype(float) @ weight
    assert_close(y, hidden @ weight.T.astype(float) + own_bias, 5e-6)
    assert_close(dz, dhidden * slope)
    assert_close(dbias, (dhidden * slope).sum(0), 5e-6)
    assert_close(dweight, dy.T.astype(float) @ hidden, 5e-6)
    assert_close(down_bias, dy.astype(float).sum(0), 5e-6)


@pytest.mark.parametrize("name", GELUS)
def test_gelu_far_from_zero(name):
    z = np.concatenate([np.linspace(-12, 12, 2001), [-1e4, 1e4, -1e30, 1e30]]).astype(np.float32).reshape(-1, 1)
    y, (dz, *_), _ = gradients(gelu_linear(name), np.ones_like(z), z, np.zeros(1, np.float32), *single(1))
    inner = np.abs(z) <= 12
    expected, slope = activation(name, z[inner].astype(float))
    np.testing.assert_allclose(y[inner], expected, rtol=1e-6, atol=2e-6)
    np.testing.assert_allclose(dz[inner], slope, atol=3e-6)
    np.testing.assert_allclose(y[~inner], np.maximum(z[~inner], 0), atol=1e-6)


@pytest.mark.parametrize("shape", [(2, 7, 9), (300, 64), (3, 1), (1, 33), (2, 3, 5, 16)])
def test_layer_norm(shape):
    x, dy, own = 3 + 2 * normal(*shape), normal(*shape, seed=5), norm(shape[-1])
    y, (dx,), of_parameters = gradients(own, dy, x)
    deviation = x.astype(float) - x.astype(float).mean(-1, keepdims=True)
    scale = 1 / np.sqrt((deviation**2).mean(-1, keepdims=True) + EPSILON)
    h, g = deviation * scale, dy * own.gamma.asnumpy().astype(float)
    assert_close(y, h * own.gamma.asnumpy() + own.beta.asnumpy())
    # A row of one channel has no deviation: 1 / sqrt(epsilon) then magnifies the rounding.
    rounding = 1e-5 + 1e-7 * scale.max()
    assert_close(dx, scale * (g - g.mean(-1, keepdims=True) - h * (g * h).mean(-1, keepdims=True)), rounding)
    assert_close(of_parameters["gamma"], (dy * h).reshape(-1, shape[-1]).sum(0), 1e-5)
    assert_close(of_parameters["beta"], dy.reshape(-1, shape[-1]).sum(0), 1e-5)


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_not_finite_reach_the_guard(wrong):
    x = normal(3, 4)
    x[1, 2] = wrong
    y, (dx,), of_parameters = gradients(norm(4), np.ones_like(x), x)
    assert np.isnan(y[1]).all() and np.isnan(dx[1]).all()
    assert np.isfinite(y[[0, 2]]).all() and np.isfinite(dx[[0, 2]]).all()
    assert np.isnan(of_parameters["gamma"]).all()
    for name in GELUS:
        if np.isnan(wrong) or wrong > 0:
            y = gelu_linear(name)(*map(Tensor, (x, np.zeros(4, np.float32), *single(4)))).asnumpy()
            assert not np.isfinite(y[1, 2])
        _, (dz, dbias, *_), _ = gradients(gelu_linear(name), x, np.ones_like(x), np.zeros(4, np.float32), *single(4))
        assert not np.isfinite(dz[1, 2]) and not np.isfinite(dbias[2])


def test_results_depend_on_no_number_of_threads():
    x, dy, results = normal(3000, 48), normal(3000, 48, seed=1), set()
    for number in (1, 2, 5):
        set_num_threads(number)
        y, (dx,), of_parameters = gradients(norm(48), dy, x)
        z, of_inputs, _ = gradients(gelu_linear("gelu"), dy, x, normal(48), *single(48))
        results.add(b"".join(each.tobytes() for each in (y, dx, *of_parameters.values(), z, *of_inputs)))
    assert len(results) == 1


class Rows(nn.Cell):
    def __init__(self, act, context):
        super().__init__()
        self.norm = layer_norm(6, EPSILON, context)
        self.fc1, self.act, self.fc2 = linear_activation_linear(6, 10, 7, act, context)
        self.fc1.weight.set_data(Tensor(normal(10, 6)))
        self.fc2.weight.set_data(Tensor(normal(7, 10, seed=3)))

    def construct(self, x):
        return self.fc2(self.act(self.fc1(self.norm(x))))


@pytest.mark.parametrize("act", [gelu, tanh_gelu])
@pytest.mark.usefixtures("products")
def test_compiled_they_equal_the_standard_formulations(act):
    ms.set_context(mode=ms.GRAPH_MODE)
    x, dy = normal(20, 6), normal(20, 7, seed=1)
    found = []
    for context in (kernels(), LayerContext()):
        rows = Rows(act, context)
        assert isinstance(rows.fc2, GeluLinear) == context.uses_kernels
        y, (dx,), of_parameters = gradients(rows, dy, x)
        found.append([y, dx, *of_parameters.values()])
    for own, standard in zip(*found, strict=True):
        assert_close(own, standard, 1e-5)
