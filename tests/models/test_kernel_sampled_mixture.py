"""The kernel of attention to samples between pixels, against float64 and the standard formulation."""

import mindspore as ms
import numpy as np
import pytest
from mindspore import Tensor, nn

from src.models.layers import TAPS, LayerContext, Sampling, sampled_mixture
from tests.support.kernels import NEEDS_COMPILER, assert_close, gradients, kernels, normal, set_num_threads

pytestmark = NEEDS_COMPILER


@pytest.fixture(autouse=True)
def eager():
    ms.set_context(mode=ms.PYNATIVE_MODE)


class Mixed(nn.Cell):
    """The mixture alone, which is what has gradients."""

    def __init__(self, height, width, num_heads, context):
        super().__init__()
        self.mixture = sampled_mixture(Sampling(height, width, num_heads), context)

    def construct(self, *inputs):
        return self.mixture(*inputs)[0]


def inputs_of(batch, height, width, num_heads, channels, spread=1.5):
    """q, k, v, offsets, addends of the logits; and the gradient of the mixture."""
    num_rows = batch * height * width * num_heads
    q, k, v, dmixed = (normal(num_rows, channels, seed=seed) for seed in range(4))
    offsets = spread * normal(batch, height * width, num_heads, 2 * TAPS, seed=4)
    return (q, k, v, offsets, normal(num_rows, TAPS, seed=5)), dmixed


def lines(position, count):
    """Beside positions in float64, (2, ...) each: the lines' numbers, weights and the weights' slopes."""
    near = np.floor(position)
    numbers = np.stack([near, near + 1])
    inside = (numbers >= 0) & (numbers < count) & (position > -1)
    slopes = np.stack([-inside[0].astype(float), inside[1]])
    return np.clip(numbers, 0, count - 1).astype(int), inside * np.stack([near + 1 - position, position - near]), slopes


def reference(height, width, num_heads, inputs, dmixed):
    """The mixture in float64, and the gradients of all inputs."""
    q, k, v, offsets, logits = (each.astype(float) for each in inputs)
    batch = offsets.shape[0]
    places = np.indices((batch, height, width, num_heads)).reshape(4, -1, 1)
    offsets = offsets.reshape(-1, 2, TAPS)
    taps = np.indices((3, 3)).reshape(2, TAPS) - 1
    rows, row_weights, row_slopes = lines(places[1] + taps[0] + offsets[:, 0], height)
    columns, column_weights, column_slopes = lines(places[2] + taps[1] + offsets[:, 1], width)
    corners = [(r, c) for r in (0, 1) for c in (0, 1)]
    named = [((places[0] * height + rows[r]) * width + columns[c]) * num_heads + places[3] for r, c in corners]
    weights = [row_weights[r] * column_weights[c] for r, c in corners]
    of_keys = [np.einsum("rd,rjd->rj", q, k[each]) for each in named]
    scale = q.shape[1] ** -0.5
    logits = logits + scale * sum(w * p for w, p in zip(weights, of_keys, strict=True))
    attention = np.exp(logits - logits.max(1, keepdims=True))
    attention /= attention.sum(1, keepdims=True)
    mixed = sum(np.einsum("rj,rjd->rd", attention * w, v[each]) for w, each in zip(weights, named, strict=True))
    of_values = [np.einsum("rd,rjd->rj", dmixed, v[each]) for each in named]
    dattention = sum(w * p for w, p in zip(weights, of_values, strict=True))
    dlogits = attention * (dattention - (attention * dattention).sum(1, keepdims=True))
    dq, dk, dv, doffsets = np.zeros_like(q), np.zeros_like(k), np.zeros_like(v), np.zeros_like(offsets)
    for (r, c), each, w, key, value in zip(corners, named, weights, of_keys, of_values, strict=True):
        factor = scale * dlogits * w
        dq += np.einsum("rj,rjd->rd", factor, k[each])
        np.add.at(dk, each, factor[..., None] * q[:, None])
        np.add.at(dv, each, (attention * w)[..., None] * dmixed[:, None])
        dweight = attention * value + scale * dlogits * key
        doffsets[:, 0] += dweight * row_slopes[r] * column_weights[c]
        doffsets[:, 1] += dweight * row_weights[r] * column_slopes[c]
    return mixed, (dq, dk, dv, doffsets.reshape(inputs[3].shape), dlogits)


@pytest.mark.parametrize(
    "sizes", [(2, 5, 7, 3, 16), (1, 1, 1, 1, 1), (3, 4, 4, 2, 33), (1, 9, 8, 1, 64), (2, 1, 6, 2, 5)]
)
def test_outputs_and_gradients(sizes):
    inputs, dmixed = inputs_of(*sizes)
    mixed, of_inputs, _ = gradients(Mixed(*sizes[1:4], kernels()), dmixed, *inputs)
    expected, expected_of_inputs = reference(*sizes[1:4], inputs, dmixed)
    assert_close(mixed, expected)
    for found, its in zip(of_inputs, expected_of_inputs, strict=True):
        assert_close(found, its, 1e-5)


@pytest.mark.parametrize("offset", [-1.0, 0.0, 3.0, 1e30])
def test_positions_on_pixels_and_borders_are_as_in_the_standard_formulation(offset):
    inputs, dmixed = inputs_of(1, 3, 4, 2, 8)
    inputs[3][:] = offset
    found = [gradients(Mixed(3, 4, 2, context), dmixed, *inputs) for context in (kernels(), LayerContext(device="GPU"))]
    assert_close(found[0][0], found[1][0])
    for own, standard in zip(found[0][1], found[1][1], strict=True):
        assert_close(own, standard, 1e-5)


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("place", range(5))
def test_numbers_that_are_not_finite_reach_the_guard(wrong, place):
    inputs, dmixed = inputs_of(1, 3, 3, 1, 4, spread=0.3)
    inputs[place].reshape(-1)[18] = wrong
    mixed, of_inputs, _ = gradients(Mixed(3, 3, 1, kernels()), dmixed, *inputs)
    everything = np.concatenate([each.reshape(-1) for each in (mixed, *of_inputs)])
    harmless = place == 4 and wrong < 0  # a tap that is ruled out
    assert np.isfinite(everything).all() == harmless


def test_results_depend_on_no_number_of_threads():
    inputs, dmixed = inputs_of(3, 12, 12, 2, 16)
    results = set()
    for number in (1, 2, 5):
        set_num_threads(number)
        mixed, of_inputs, _ = gradients(Mixed(12, 12, 2, kernels()), dmixed, *inputs)
        results.add(b"".join(each.tobytes() for each in (mixed, *of_inputs)))
    assert len(results) == 1


def test_compiled_it_equals_the_standard_formulation():
    ms.set_context(mode=ms.GRAPH_MODE)
    inputs, dmixed = inputs_of(2, 4, 3, 2, 8)
    found = []
    for context in (kernels(), LayerContext()):
        mixed, of_inputs, _ = gradients(Mixed(4, 3, 2, context), dmixed, *inputs)
        attention = sampled_mixture(Sampling(4, 3, 2), context)(*map(Tensor, inputs))[1].asnumpy()
        found.append([mixed, attention, *of_inputs])
    for own, standard in zip(*found, strict=True):
        assert_close(own, standard, 1e-5)
