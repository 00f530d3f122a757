"""What networks tell of their graphs: neighbours, groups and attention weights."""

import mindspore as ms
import numpy as np
import pytest
from mindspore import Tensor

from src.models import create_model
from src.models.hlg.blocks import DilatedWindows, MultiHeadAttention, Windows
from src.models.layers import LayerContext
from src.models.vig.classifier import GraphLayer


@pytest.fixture(autouse=True)
def mode():
    ms.set_context(mode=ms.PYNATIVE_MODE)


IMAGES = np.random.default_rng(0).standard_normal((2, 3, 32, 32)).astype(np.float32)


def build(name):
    return create_model(name, 10).set_train(False)


def arrays(found):
    return [array for part in found for array in arrays(part)] if isinstance(found, tuple) else [found.asnumpy()]


def test_the_layers_of_an_isotropic_network():
    network = build("vig_nano")
    assert network.graph_layers == tuple(GraphLayer(8, 8, k, 1) for k in (9, 12, 15, 18))
    found = network.neighbours(Tensor(IMAGES))
    assert [indices.shape for indices in found] == [(2, 64, 9), (2, 64, 12), (2, 64, 15), (2, 64, 18)]
    assert found[0].dtype == ms.int32
    first = found[0].asnumpy()
    np.testing.assert_array_equal(first[:, :, 0], [range(64)] * 2)  # nothing is nearer to a node than itself
    assert all(len(set(neighbours)) == 9 for neighbours in first[0].tolist())


def test_the_layers_of_a_pyramid():
    network = build("pvig_nano")
    assert network.graph_layers == (GraphLayer(16, 4, 9, 1), GraphLayer(8, 4, 9, 1), *[GraphLayer(4, 4, 9, 1)] * 2)
    found = network.neighbours(Tensor(IMAGES))
    assert [indices.shape for indices in found] == [(2, 256, 9), (2, 64, 9), (2, 16, 9), (2, 16, 9)]
    assert {int(indices.max()) for indices in found} == {15}
    second = arrays(network.neighbours(Tensor(IMAGES[1:])))
    for of_both, of_second in zip(arrays(found), second, strict=True):
        np.testing.assert_array_equal(of_both[1:], of_second)


def test_members_of_groups():
    near, dilated = Windows(4, 2, LayerContext()), DilatedWindows(4, 2, LayerContext())
    assert near.members().tolist() == [[0, 1, 4, 5], [2, 3, 6, 7], [8, 9, 12, 13], [10, 11, 14, 15]]
    assert dilated.members().tolist() == [[0, 2, 8, 10], [1, 3, 9, 11], [4, 6, 12, 14], [5, 7, 13, 15]]


def test_weights_of_an_attention():
    attention = MultiHeadAttention(4, 2, LayerContext())  # two heads of two channels, scale 1 / sqrt(2)
    for linear in (attention.to_q, attention.to_k):
        linear.weight.set_data(Tensor(np.eye(4, dtype=np.float32)))
    queries = np.array([[[1, 0, 0, 0], [0, 0, 0, 2]]], np.float32)
    keys = np.array([[[np.sqrt(2) * np.log(3), 0, 0, 0], [0, 0, 0, np.sqrt(2) * np.log(2)]]], np.float32)
    found = attention.weights(Tensor(queries), Tensor(keys)).asnumpy()
    np.testing.assert_allclose(found, [[[[0.75, 0.25], [0.5, 0.5]], [[0.5, 0.5], [0.2, 0.8]]]], rtol=1e-6)


def test_attention_of_hlg():
    network = build("hlg_nano")
    found = network.attention(Tensor(IMAGES))
    assert [tuple(weights.shape for weights in block) for block in found] == [
        *[((2, 64, 1, 4, 4), (2, 1, 256, 64))] * 2,
        *[((2, 16, 2, 4, 4), (2, 2, 64, 16))] * 2,
        *[((2, 4, 4, 4, 4), (2, 4, 16, 4))] * 2,
        *[((2, 1, 6, 5, 5),)] * 2,
    ]
    for weights in arrays(found):
        np.testing.assert_allclose(weights.sum(-1), 1, rtol=1e-5)
    for block, groups in zip(found, network.groups, strict=True):
        assert groups.shape[0] == block[0].shape[1]
        assert sorted(groups.ravel().tolist()) == list(range(groups.size))
    tokens = np.random.default_rng(1).standard_normal((2, 16, 64)).astype(np.float32)
    both, second = (arrays(network.block3_0.attention(Tensor(part))) for part in (tokens, tokens[1:]))
    for of_both, of_second in zip(both, second, strict=True):
        np.testing.assert_allclose(of_both[1:], of_second, atol=1e-6)
