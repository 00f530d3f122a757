"""The kernel of two linear layers and the GELU between them, against float64."""

import mindspore as ms
import numpy as np
import pytest
from mindspore import Tensor, nn

from src.models.layers import LayerContext, gelu, linear_activation_linear, tanh_gelu
from src.models.layers.cpu.kernels import feed_forward
from src.models.layers.cpu.kernels.feed_forward import (
    MOST_WEIGHTS,
    FeedForwardFunction,
    FeedForwardLinear,
    GeluLinear,
)
from tests.support.kernels import NEEDS_COMPILER, activation, assert_close, gradients, kernels, normal, set_num_threads

pytestmark = NEEDS_COMPILER
GELUS = ["gelu", "tanh_gelu"]


@pytest.fixture(autouse=True)
def eager():
    ms.set_context(mode=ms.PYNATIVE_MODE)


def inputs(rows, channels, hidden, out):
    """Rows, and both layers' weights and biases."""
    return (
        normal(rows, channels),
        normal(hidden, channels, seed=1) / channels**0.5,
        normal(hidden, seed=2),
        normal(out, hidden, seed=3) / hidden**0.5,
        normal(out, seed=4),
    )


@pytest.mark.parametrize("name", GELUS)
@pytest.mark.parametrize(
    "sizes",
    [
        (1, 1, 1, 1),
        (7, 3, 5, 2),
        (130, 32, 256, 32),  # several blocks, the last one of two rows
        (65, 50, 49, 51),
        (3000, 9, 40, 17),  # more blocks than slices
    ],
)
def test_values_and_gradients(name, sizes):
    x, first, first_bias, second, bias = given = inputs(*sizes)
    dy = normal(sizes[0], sizes[3], seed=5)
    y, found, _ = gradients(FeedForwardFunction(kernels().kernels, name), dy, *given)
    first, second, slopes = first.astype(float), second.astype(float), dy.astype(float)
    hidden, slope = activation(name, x @ first.T + first_bias)
    dhidden = slopes @ second * slope
    expected = (dhidden @ first, dhidden.T @ x, dhidden.sum(0), slopes.T @ hidden, slopes.sum(0))
    assert_close(y, hidden @ second.T + bias, 3e-6)
    for own, each in zip(found, expected, strict=True):
        assert_close(own, each, 1e-5)


@pytest.mark.parametrize("name", GELUS)
@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_numbers_that_are_not_finite_reach_the_guard(name, wrong):
    x, *others = inputs(6, 4, 8, 3)
    x[2, 1] = wrong
    function, dy = FeedForwardFunction(kernels().kernels, name), normal(6, 3, seed=5)
    y, (dx, *of_weights), _ = gradients(function, dy, x, *others)
    assert not np.isfinite(y[2]).any() and np.isfinite(y[[0, 1, 3, 4, 5]]).all()
    assert not np.isfinite(dx[2]).any() and np.isfinite(dx[[0, 1, 3, 4, 5]]).all()
    assert not np.isfinite(of_weights[0][:, 1]).any() and not np.isfinite(of_weights[2]).all()


def test_results_depend_on_no_number_of_threads():
    given, dy, results = inputs(3000, 24, 48, 20), normal(3000, 20, seed=5), set()
    for number in (1, 2, 5):
        set_num_threads(number)
        y, found, _ = gradients(FeedForwardFunction(kernels().kernels, "gelu"), dy, *given)
        results.add(b"".join(each.tobytes() for each in (y, *found)))
    assert len(results) == 1


class Layers(nn.Cell):
    def __init__(self, act, context):
        super().__init__()
        self.fc1, self.act, self.fc2 = linear_activation_linear(6, 10, 7, act, context)
        self.fc1.weight.set_data(Tensor(normal(10, 6)))
        self.fc1.bias.set_data(Tensor(normal(10, seed=2)))
        self.fc2.weight.set_data(Tensor(normal(7, 10, seed=3)))

    def construct(self, x):
        return self.fc2(self.act(self.fc1(x)))


@pytest.mark.parametrize("act", [gelu, tanh_gelu])
def test_compiled_it_equals_the_standard_formulation(act, monkeypatch):
    monkeypatch.setattr(feed_forward, "has_wide_products", lambda library: True)
    ms.set_context(mode=ms.GRAPH_MODE)
    x, dy, found = normal(20, 6), normal(20, 7, seed=1), []
    for context in (kernels(), LayerContext()):
        y, (dx,), of_parameters = gradients(Layers(act, context), dy, x)
        found.append([y, dx, *of_parameters.values()])
    for own, standard in zip(*found, strict=True):
        assert_close(own, standard, 1e-5)


@pytest.mark.parametrize("wide_products", [False, True])
def test_which_layers_it_is_for(wide_products, monkeypatch):
    monkeypatch.setattr(feed_forward, "has_wide_products", lambda library: wide_products)

    def kind(hidden):
        return type(linear_activation_linear(64, hidden, 32, gelu, kernels())[2])

    assert kind(MOST_WEIGHTS // 64) is (FeedForwardLinear if wide_products else GeluLinear)
    assert kind(MOST_WEIGHTS // 64 + 1) is GeluLinear
