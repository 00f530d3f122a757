"""The kernels of ViG's graphs: nearest neighbours, and features beside how far the neighbours exceed them."""

import mindspore as ms
import numpy as np
import pytest
from mindspore import Tensor

from src.models.layers import LayerContext, max_relative, nearest_neighbours
from src.models.layers.cpu.kernels.graph_feature import KernelMaxRelative
from src.models.layers.cpu.kernels.nearest import KernelNearestNeighbours
from src.models.layers.nodes import MaxRelative, NearestNeighbours
from tests.support.kernels import NEEDS_COMPILER, assert_close, gradients, kernels, normal, set_num_threads

pytestmark = NEEDS_COMPILER


@pytest.fixture(autouse=True)
def eager():
    ms.set_context(mode=ms.PYNATIVE_MODE)


def found(nodes, keys, offsets=None, *, context=None, candidates=9, dilation=1, normalize=True):
    search = nearest_neighbours(candidates, dilation, normalize, context or kernels())
    inputs = [Tensor(each) for each in (nodes, keys, offsets) if each is not None]
    return search(*inputs).asnumpy()


def closeness(nodes, keys, offsets, normalize):
    nodes, keys = nodes.astype(float), keys.astype(float)
    if normalize:
        nodes, keys = (x / np.maximum(np.linalg.norm(x, axis=-1, keepdims=True), 1e-12) for x in (nodes, keys))
    value = 2 * nodes @ keys.transpose(0, 2, 1) - (keys**2).sum(-1)[:, None]
    return value if offsets is None else value - offsets


@pytest.mark.parametrize("normalize", [True, False])
@pytest.mark.parametrize(
    ("num_nodes", "num_keys", "channels", "candidates", "dilation"),
    [(196, 196, 20, 9, 1), (49, 33, 7, 33, 4), (70, 5, 1, 3, 2), (1, 1, 3, 1, 1), (9, 100, 64, 40, 3)],
)
@pytest.mark.parametrize("with_offsets", [False, True])
def test_nearest_in_order(num_nodes, num_keys, channels, candidates, dilation, with_offsets, normalize):
    nodes, keys = normal(3, num_nodes, channels), normal(3, num_keys, channels, seed=1)
    offsets = 0.3 * normal(1, num_nodes, num_keys, seed=2) if with_offsets else None
    form = {"candidates": candidates, "dilation": dilation, "normalize": normalize}
    numbers = found(nodes, keys, offsets, **form)
    value = closeness(nodes, keys, offsets, normalize)
    expected = np.sort(value, -1)[..., ::-1][..., :candidates:dilation]
    # Rounding may swap two that are equally near to 1e-6; then their closeness is equal too.
    np.testing.assert_allclose(np.take_along_axis(value, numbers, -1), expected, atol=2e-6 * np.abs(value).max())
    assert numbers.shape == expected.shape
    assert all(len(set(row)) == len(row) for row in numbers.reshape(-1, numbers.shape[-1]))


def test_layers_of_one_process_may_differ():
    nodes = normal(1, 30, 4)
    for candidates, dilation, number in ((9, 1, 9), (20, 2, 10), (9, 2, 5)):
        assert found(nodes, nodes, candidates=candidates, dilation=dilation).shape == (1, 30, number)


def test_of_equally_near_keys_the_standard_formulation_takes_the_same():
    keys = np.repeat(np.eye(4, dtype=np.float32)[None], 2, 1).reshape(1, 8, 4)
    nodes = np.eye(4, dtype=np.float32)[None]
    own, standard = (found(nodes, keys, context=each, candidates=8) for each in (kernels(), LayerContext()))
    np.testing.assert_array_equal(own, standard)
    np.testing.assert_array_equal(own[0, 1], [2, 3, 0, 1, 4, 5, 6, 7])


def test_nodes_of_no_direction_and_numbers_that_are_not_finite_still_name_keys():
    nodes = normal(2, 40, 5)
    nodes[0, 3], nodes[0, 4], nodes[1, 7, 2], nodes[1, 9, 0] = 0, np.nan, np.inf, -np.inf
    for normalize in (True, False):
        numbers = found(nodes, nodes, candidates=40, normalize=normalize)
        assert (np.sort(numbers, -1) == np.arange(40)).all()


def feature(x, keys, neighbours, dboth, interleave, context):
    cell = max_relative(neighbours.shape[2], interleave, context)
    both, (dx, dkeys, _), _ = gradients(cell, dboth, x, keys, neighbours)
    return both, dx, dkeys


@pytest.mark.parametrize("interleave", [True, False])
@pytest.mark.parametrize(
    ("channels", "height", "width", "num_keys", "num_neighbours"),
    [(70, 5, 7, 35, 9), (1, 3, 3, 4, 2), (64, 1, 1, 1, 1), (3, 14, 14, 49, 18)],
)
def test_feature_and_its_gradients(channels, height, width, num_keys, num_neighbours, interleave):
    # Whole numbers, none twice in a channel: the sums are exact and nobody is equal.
    generator = np.random.default_rng(0)
    shape = (2, channels, num_keys)
    keys = generator.permuted(np.broadcast_to(np.arange(num_keys), shape), axis=2).transpose(0, 2, 1).astype(np.float32)
    num_nodes = height * width
    choices = np.broadcast_to(np.arange(num_keys), (2, num_nodes, num_keys))
    neighbours = generator.permuted(choices, axis=2)[..., :num_neighbours].astype(np.int32)
    x = np.round(4 * normal(2, channels, height, width))
    dboth = np.round(4 * normal(2, 2 * channels, height, width, seed=1))
    own, standard = (feature(x, keys, neighbours, dboth, interleave, each) for each in (kernels(), LayerContext()))
    for mine, its in zip(own, standard, strict=True):
        np.testing.assert_array_equal(mine, its)


def test_among_equal_neighbours_the_first_takes_the_gradient():
    x, keys = np.zeros((1, 1, 1, 1), np.float32), np.array([[[4], [4], [3]]], np.float32)
    both, dx, dkeys = feature(x, keys, np.array([[[2, 1, 0]]], np.int32), np.float32([[[[1]], [[5]]]]), True, kernels())
    assert both.ravel().tolist() == [0, 4]
    assert dx.ravel().tolist() == [1 - 5]
    assert dkeys.ravel().tolist() == [0, 5, 0]


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
@pytest.mark.parametrize("place", [0, 1])
def test_numbers_that_are_not_finite_reach_the_guard(wrong, place):
    x, keys = normal(1, 3, 2, 2), normal(1, 4, 3)
    keys[0, place, 1] = wrong
    neighbours = np.array([[[0, 1], [1, 0], [2, 3], [3, 2]]], np.int32)
    both, _, dkeys = feature(x, keys, neighbours, np.full((1, 6, 2, 2), wrong, np.float32), True, kernels())
    relative = both.reshape(3, 2, 4)[1, 1]
    assert np.isfinite(relative).tolist() == [False, False, True, True]
    assert not np.isfinite(dkeys[0, place, 1])


def test_results_depend_on_no_number_of_threads():
    x, keys, dboth = normal(3, 70, 14, 14), normal(3, 196, 70, seed=1), normal(3, 140, 14, 14, seed=2)
    results = set()
    for number in (1, 2, 5):
        set_num_threads(number)
        neighbours = found(keys, keys)
        both, dx, dkeys = feature(x, keys, neighbours, dboth, True, kernels())
        results.add(b"".join(each.tobytes() for each in (neighbours, both, dx, dkeys)))
    assert len(results) == 1


def test_compiled_they_are_the_same():
    ms.set_context(mode=ms.GRAPH_MODE)
    x, keys, offsets = normal(2, 5, 4, 4), normal(2, 16, 5, seed=1), normal(1, 16, 16, seed=2)
    numbers = found(keys, keys, offsets)
    np.testing.assert_array_equal(numbers, found(keys, keys, offsets, context=LayerContext()))
    dboth = normal(2, 10, 4, 4, seed=3)
    own, standard = (feature(x, keys, numbers, dboth, False, each) for each in (kernels(), LayerContext()))
    for mine, its in zip(own, standard, strict=True):
        assert_close(mine, its)


def test_choice_by_context():
    assert type(max_relative(9, True, kernels())) is KernelMaxRelative
    assert type(nearest_neighbours(9, 1, True, kernels())) is KernelNearestNeighbours
    assert type(max_relative(9, True, LayerContext())) is MaxRelative
    assert type(nearest_neighbours(9, 1, True, LayerContext())) is NearestNeighbours
