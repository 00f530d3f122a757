"""The kernel from the sum of two maps to activated tokens, against float64 and the standard formulation."""

from math import prod

import mindspore as ms
import numpy as np
import pytest

from src.models.layers import LayerContext, gelu_tokens
from tests.support.kernels import NEEDS_COMPILER, activation, assert_close, gradients, kernels, normal, set_num_threads

pytestmark = NEEDS_COMPILER
ARRANGEMENTS = [((2, 3, 2, 3), (0, 2, 1, 3)), ((3, 2, 3, 2), (1, 3, 0, 2)), ((1,), (0,)), ((13, 13), (1, 0))]


@pytest.fixture(autouse=True)
def eager():
    ms.set_context(mode=ms.PYNATIVE_MODE)


def maps(batch, channels, shape):
    """Two maps of as many pixels as `shape` has."""
    side = round(prod(shape) ** 0.5)
    return [normal(batch, channels, side, side, seed=seed) for seed in (0, 1)]


def arranged(values, shape, axes):
    """Values of maps (B, C, S, S) -> tokens (B, S * S, C)."""
    batch, channels = values.shape[:2]
    axes = (0, *(1 + axis for axis in axes), 1 + len(axes))
    return np.moveaxis(values, 1, -1).reshape(batch, *shape, channels).transpose(axes).reshape(batch, -1, channels)


@pytest.mark.parametrize(("shape", "axes"), ARRANGEMENTS)
@pytest.mark.parametrize("sizes", [(2, 5), (1, 1), (3, 32)])
def test_outputs_and_gradients(sizes, shape, axes):
    x, y = maps(*sizes, shape)
    dtokens = normal(sizes[0], prod(shape), sizes[1], seed=2)
    tokens, of_inputs, _ = gradients(gelu_tokens(shape, axes, kernels()), dtokens, x, y)
    expected, slope = activation("tanh_gelu", x.astype(float) + y)
    assert_close(tokens, arranged(expected, shape, axes))
    for found in of_inputs:
        assert_close(arranged(found, shape, axes), dtokens * arranged(slope, shape, axes))


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_numbers_that_are_not_finite_reach_the_guard(wrong):
    shape, axes = ARRANGEMENTS[0]
    x, y = maps(2, 3, shape)
    y[1, 2, 0, 4] = wrong
    dtokens = np.ones((2, 36, 3), np.float32)
    tokens, (dx, _), _ = gradients(gelu_tokens(shape, axes, kernels()), dtokens, x, y)
    assert (~np.isfinite(tokens)).sum() == 1
    dtokens[1, 7, 2] = wrong
    _, (dx, _), _ = gradients(gelu_tokens(shape, axes, kernels()), dtokens, x, x)
    assert (~np.isfinite(dx)).sum() == 1


def test_results_depend_on_no_number_of_threads():
    shape, axes = (7, 8, 7, 8), (1, 3, 0, 2)
    x, y = maps(2, 16, shape)
    results = set()
    for number in (1, 2, 5):
        set_num_threads(number)
        tokens, (dx, _), _ = gradients(gelu_tokens(shape, axes, kernels()), normal(2, 3136, 16), x, y)
        results.add(tokens.tobytes() + dx.tobytes())
    assert len(results) == 1


def test_compiled_it_equals_the_standard_formulation():
    ms.set_context(mode=ms.GRAPH_MODE)
    shape, axes = ARRANGEMENTS[1]
    x, y = maps(2, 4, shape)
    found = []
    for context in (kernels(), LayerContext(), LayerContext(device="GPU")):
        tokens, of_inputs, _ = gradients(gelu_tokens(shape, axes, context), normal(2, 36, 4, seed=2), x, y)
        found.append([tokens, *of_inputs])
    for own, cpu, standard in zip(*found, strict=True):
        assert_close(own, standard, 1e-5)
        assert_close(cpu, standard, 1e-5)
