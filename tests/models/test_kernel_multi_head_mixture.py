"""The kernel of attention in several heads, against float64 and the standard formulation."""

import mindspore as ms
import numpy as np
import pytest
from mindspore import Tensor

from src.models.layers import LayerContext, multi_head_mixture
from src.models.layers.cpu.kernels.multi_head_mixture import KernelMultiHeadMixture, MultiHeadMixtureFunction
from tests.support.kernels import NEEDS_COMPILER, assert_close, gradients, kernels, normal, set_num_threads

pytestmark = NEEDS_COMPILER


@pytest.fixture(autouse=True)
def eager():
    ms.set_context(mode=ms.PYNATIVE_MODE)


def inputs_of(batch, queries, keys, channels):
    """q, k, v; and the gradient of the mixture."""
    q, dmixed = normal(batch, queries, channels), normal(batch, queries, channels, seed=3)
    return (2 * q, normal(batch, keys, channels, seed=1), normal(batch, keys, channels, seed=2)), dmixed


def reference(inputs, dmixed, num_heads):
    """The mixture in float64, and the gradients of q, k, v."""

    def by_head(rows):
        return rows.astype(float).reshape(*rows.shape[:2], num_heads, -1).transpose(0, 2, 1, 3)

    def by_row(heads):
        return heads.transpose(0, 2, 1, 3).reshape(heads.shape[0], heads.shape[2], -1)

    q, k, v, dmixed = map(by_head, (*inputs, dmixed))
    scale = q.shape[-1] ** -0.5
    logits = scale * np.einsum("bhnd,bhmd->bhnm", q, k)
    attention = np.exp(logits - logits.max(-1, keepdims=True))
    attention /= attention.sum(-1, keepdims=True)
    dattention = np.einsum("bhnd,bhmd->bhnm", dmixed, v)
    dlogits = scale * attention * (dattention - (attention * dattention).sum(-1, keepdims=True))
    dq, dk = np.einsum("bhnm,bhmd->bhnd", dlogits, k), np.einsum("bhnm,bhnd->bhmd", dlogits, q)
    dv = np.einsum("bhnm,bhnd->bhmd", attention, dmixed)
    return by_row(np.einsum("bhnm,bhmd->bhnd", attention, v)), map(by_row, (dq, dk, dv))


# Batch, queries, keys, channels, heads.
@pytest.mark.parametrize(
    "sizes",
    [(3, 49, 49, 32, 2), (2, 50, 50, 48, 2), (1, 1, 1, 1, 1), (2, 1, 9, 6, 3), (2, 7, 1, 5, 1), (1, 600, 17, 66, 2)],
)
def test_outputs_and_gradients(sizes):
    *sizes, num_heads = sizes
    inputs, dmixed = inputs_of(*sizes)
    mixed, of_inputs, _ = gradients(multi_head_mixture(num_heads, kernels()), dmixed, *inputs)
    expected, expected_of_inputs = reference(inputs, dmixed, num_heads)
    assert_close(mixed, expected)
    for found, its in zip(of_inputs, expected_of_inputs, strict=True):
        assert_close(found, its, 1e-5)


@pytest.mark.parametrize("sizes", [(3, 49, 49, 32, 2), (2, 70, 3, 10, 2), (1, 1, 1, 1, 1)])
def test_biases(sizes):
    *sizes, num_heads = sizes
    inputs, dmixed = inputs_of(*sizes)
    biases = [normal(sizes[3], seed=seed) for seed in (4, 5, 6)]
    mixed, of_inputs, _ = gradients(MultiHeadMixtureFunction(kernels().kernels, num_heads), dmixed, *inputs, *biases)
    sums = [each.astype(float) + bias for each, bias in zip(inputs, biases, strict=True)]
    expected, expected_of_inputs = reference(sums, dmixed, num_heads)
    assert_close(mixed, expected)
    for i, its in enumerate(expected_of_inputs):
        assert_close(of_inputs[i], its, 1e-5)
        rounding = 1e-6 * np.abs(its).sum((0, 1)).max()  # the sum itself is 0 for the keys
        np.testing.assert_allclose(of_inputs[3 + i], its.sum((0, 1)), atol=rounding)


@pytest.mark.parametrize("size", [0.0, 1e4])
def test_ties_and_logits_far_from_zero(size):
    inputs, dmixed = inputs_of(2, 5, 9, 8)
    inputs[0][:] *= size
    inputs[1][:, 3] = inputs[1][:, 4]  # two keys that are equally near to all
    mixed, of_inputs, _ = gradients(multi_head_mixture(2, kernels()), dmixed, *inputs)
    expected, expected_of_inputs = reference(inputs, dmixed, 2)
    assert_close(mixed, expected)
    for found, its in zip(of_inputs, expected_of_inputs, strict=True):
        assert_close(found, its, 1e-5)


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("place", range(4))
def test_numbers_that_are_not_finite_reach_the_guard(wrong, place):
    inputs, dmixed = inputs_of(2, 3, 5, 4)
    (*inputs, dmixed)[place][1, 2, 3] = wrong
    mixed, of_inputs, _ = gradients(multi_head_mixture(2, kernels()), dmixed, *inputs)
    everything = [mixed, *of_inputs]
    assert not np.isfinite(np.concatenate([each[1, :, 2:].reshape(-1) for each in everything])).all()
    assert all(np.isfinite(each[0]).all() and np.isfinite(each[:, :, :2]).all() for each in everything)


def test_results_depend_on_no_number_of_threads():
    inputs, dmixed = inputs_of(3, 1100, 16, 32)
    results = set()
    for number in (1, 2, 5):
        set_num_threads(number)
        mixed, of_inputs, _ = gradients(multi_head_mixture(2, kernels()), dmixed, *inputs)
        results.add(b"".join(each.tobytes() for each in (mixed, *of_inputs)))
    assert len(results) == 1


def test_compiled_it_equals_the_standard_formulation():
    ms.set_context(mode=ms.GRAPH_MODE)
    inputs, dmixed = inputs_of(2, 6, 10, 8)
    found = []
    for context in (kernels(), LayerContext(), LayerContext(device="GPU")):
        cell = multi_head_mixture(2, context)
        mixed, of_inputs, _ = gradients(cell, dmixed, *inputs)
        found.append([mixed, *of_inputs, cell.weights(*map(Tensor, inputs)).asnumpy()])
    for own, cpu, standard in zip(*found, strict=True):
        assert_close(own, standard, 1e-5)
        assert_close(cpu, standard, 1e-5)


def test_where_the_kernel_is_chosen():
    library = kernels().kernels
    assert type(multi_head_mixture(2, kernels())) is KernelMultiHeadMixture
    for context in ({}, {"device": "GPU", "kernels": library}, {"exporting": True, "kernels": library}):
        assert type(multi_head_mixture(2, LayerContext(**context))) is not KernelMultiHeadMixture
