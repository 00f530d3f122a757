"""The cells between the backward pass and the optimizer, by literal numbers."""

import math

import mindspore as ms
import numpy as np
import pytest
from mindspore import Tensor

from src.step.gradients import AllFinite, Centralize, ClipGlobalNorm, Unscale, make_buckets


@pytest.mark.parametrize(
    ("sizes", "buckets"),
    [
        ([3, 3, 4], [(0, 3)]),
        ([3, 3, 5], [(0, 2), (2, 3)]),
        ([1, 10, 1], [(0, 1), (1, 2), (2, 3)]),
        ([11, 1, 9, 1], [(0, 1), (1, 3), (3, 4)]),
        ([25], [(0, 1)]),
    ],
)
def test_buckets_hold_ten_at_most_or_one_large_tensor(sizes, buckets):
    assert make_buckets(sizes, limit=10) == buckets


def test_a_bucket_is_what_one_message_may_hold():
    assert make_buckets([2_000_000, 2_000_000, 1]) == [(0, 2), (2, 3)]


def test_centralised_gradients_have_zero_mean_for_each_output():
    matrix = Tensor([[1.0, 2.0, 6.0], [-1.0, 0.0, 1.0]])
    kernel = Tensor(np.arange(8, dtype=np.float32).reshape(2, 1, 2, 2))
    vector = Tensor([1.0, 2.0])
    results = [gradient.asnumpy().tolist() for gradient in Centralize()((matrix, kernel, vector))]
    assert results[0] == [[-2.0, -1.0, 3.0], [-1.0, 0.0, 1.0]]
    assert results[1] == [[[[-1.5, -0.5], [0.5, 1.5]]]] * 2
    assert results[2] == [1.0, 2.0]


def test_clipping_scales_all_gradients_together():
    clip = ClipGlobalNorm(5.0)
    within = [gradient.asnumpy().tolist() for gradient in clip((Tensor([3.0]), Tensor([[4.0]])))]
    assert within == [[3.0], [[4.0]]]
    beyond = [gradient.asnumpy().tolist() for gradient in clip((Tensor([6.0]), Tensor([[8.0]])))]
    assert beyond == [[3.0], [[4.0]]]
    assert [gradient.asnumpy().tolist() for gradient in clip((Tensor([0.0]), Tensor([[0.0]])))] == [[0.0], [[0.0]]]


@pytest.mark.parametrize(
    ("values", "finite"),
    [([1.0, 3e38], True), ([1.0, math.inf], False), ([-math.inf, 0.0], False), ([math.nan, 0.0], False)],
)
def test_one_value_that_is_not_finite_is_found(values, finite):
    result = AllFinite()((Tensor([[0.5]]), Tensor(values, ms.float32)))
    assert (result.dtype, result.shape, bool(result.asnumpy())) == (ms.bool_, (), finite)


def test_unscaled_gradients_are_float32():
    half, single = Unscale()(Tensor(4.0), (Tensor([2.0, 60000.0], ms.float16), Tensor([1.0])))
    assert (half.dtype, half.asnumpy().tolist()) == (ms.float32, [0.5, 15000.0])
    assert single.asnumpy().tolist() == [0.25]
