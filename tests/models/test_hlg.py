"""HLG's arrangements of tokens, and the names that a zoo checkpoint needs."""

import mindspore as ms
import numpy as np
import pytest
from mindspore import Tensor

from src.models import create_model
from src.models.hlg.blocks import DilatedWindows, MultiHeadAttention, Windows
from src.models.layers import LayerContext, map_of, nodes_of, tanh_gelu
from tests.golden import check_hlg, reader


@pytest.fixture(autouse=True)
def mode():
    ms.set_context(mode=ms.PYNATIVE_MODE)


# A map of 4 x 4 tokens, one channel, numbered row by row; groups of 2 x 2.
NUMBERED = np.arange(16, dtype=np.float32).reshape(1, 16, 1)
GROUPS = {
    Windows: [[0, 1, 4, 5], [2, 3, 6, 7], [8, 9, 12, 13], [10, 11, 14, 15]],
    DilatedWindows: [[0, 2, 8, 10], [1, 3, 9, 11], [4, 6, 12, 14], [5, 7, 13, 15]],
}


@pytest.mark.parametrize("form", GROUPS)
def test_groups(form):
    maps = map_of(Tensor(8 + 8 * NUMBERED), 4), Tensor(np.zeros((1, 1, 4, 4), np.float32))
    found = form(4, 2, LayerContext()).split(*maps)[:, :, 0].asnumpy()  # GELU changes no number from 8 on
    assert ((found - 8) / 8).tolist() == GROUPS[form]


@pytest.mark.parametrize("form", GROUPS)
def test_joining_undoes_splitting(form):
    x, y = np.random.default_rng(0).standard_normal((2, 3, 5, 6, 6)).astype(np.float32)
    windows = form(6, 2, LayerContext())  # unlike above, the groups' side and their number along a side differ
    groups = windows.split(Tensor(x), Tensor(y))
    assert groups.shape == (27, 4, 5)
    activated = tanh_gelu(LayerContext())(Tensor(x + y))
    np.testing.assert_array_equal(windows.join(groups).asnumpy(), nodes_of(activated).asnumpy())


def test_maps_and_sequences():
    x = np.random.default_rng(0).standard_normal((2, 3, 4, 4)).astype(np.float32)
    sequence = nodes_of(Tensor(x))
    np.testing.assert_array_equal(sequence[1, 6].asnumpy(), x[1, :, 1, 2])
    np.testing.assert_array_equal(map_of(sequence, 4).asnumpy(), x)


def test_class_token_comes_first():
    network = create_model("hlg_nano", 10)
    x = np.random.default_rng(0).standard_normal((2, 4, 96)).astype(np.float32)
    found = network.with_class_token(Tensor(x)).asnumpy()
    np.testing.assert_array_equal(found[:, 1:], x)
    np.testing.assert_array_equal(found[:, 0], np.repeat(network.cls.asnumpy()[0], 2, 0))


def test_attention_without_preference_averages():
    attention = MultiHeadAttention(4, 2, LayerContext())
    attention.to_v.weight.set_data(Tensor(np.eye(4, dtype=np.float32)))
    attention.proj.weight.set_data(Tensor(2 * np.eye(4, dtype=np.float32)))
    context = np.arange(12, dtype=np.float32).reshape(1, 3, 4)
    found = attention(Tensor(np.ones((1, 2, 4), np.float32)), Tensor(context)).asnumpy()
    np.testing.assert_allclose(found, [[[8, 10, 12, 14]] * 2], rtol=1e-6)


def test_names_and_shapes_are_the_zoos_less_the_unused():
    network = create_model("hlg_mobile", 1001)
    reference = reader.read_shapes("hlg_mobile_zoo_ms")
    ours = {name: parameter.shape for name, parameter in network.parameters_and_names()}
    assert ours == {name: shape for name, shape in reference.items() if check_hlg.is_used(name)}
    assert (len(reference), len(ours)) == (393, 293)
    assert sum(parameter.size for parameter in network.trainable_params()) == 6_147_657
