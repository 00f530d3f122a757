"""Dropout by a stateless hash of (seed, layer, rank, step)."""

import subprocess
import sys
from pathlib import Path

import mindspore as ms
import numpy as np
import pytest
from mindspore import Parameter, Tensor, nn

from src.models import create_model, share_random_step
from src.models.layers import channel_dropout, drop_path, dropout
from src.models.layers.keyed_random import KeyedRandom, hash_bits

MODES = pytest.mark.parametrize("mode", [ms.PYNATIVE_MODE, ms.GRAPH_MODE], ids=["eager", "compiled"])
ROOT = Path(__file__).parents[2]


def step_parameter(value=0):
    return Parameter(Tensor(value, ms.int32), name="step", requires_grad=False)


class Uniform(KeyedRandom):
    def construct(self):
        return self.uniform(4096)


def lowbias32(x: int) -> int:
    """The hash in plain integers."""
    for shift, factor in ((16, 0x7FEB352D), (15, 0x846CA68B)):
        x = ((x ^ (x >> shift)) * factor) % 2**32
    return (x ^ (x >> 16)) & 0x7FFFFF


@MODES
def test_hash_is_lowbias32(mode):
    ms.set_context(mode=mode)
    counters = [0, 1, 2, 77, 2**31 - 1, -1, -(2**31)]
    expected = [lowbias32(counter % 2**32) for counter in counters]
    assert expected[:3] == [0, 626880, 1253761]
    assert hash_bits(Tensor(counters, ms.int32)).asnumpy().tolist() == expected


@MODES
def test_statistics(mode):
    ms.set_context(mode=mode)
    cell, step = Uniform(), step_parameter()
    share_random_step(cell, step, seed=0, rank=0)
    draws = []
    for value in range(8):
        step.set_data(Tensor(value, ms.int32))
        draws.append(cell().asnumpy())
    draws = np.stack(draws)
    assert draws.min() >= 0
    assert draws.max() < 1
    np.testing.assert_allclose(draws.mean(1), 0.5, atol=0.02)
    np.testing.assert_allclose(draws.std(1), 12**-0.5, atol=0.01)
    correlation = np.corrcoef(np.concatenate([draws, np.roll(draws, 1, axis=1)]))
    np.testing.assert_allclose(correlation, np.eye(16), atol=0.06)


class Net(nn.Cell):
    def __init__(self):
        super().__init__()
        self.first, self.second, self.path = dropout(0.5), dropout(0.5), drop_path(0.25)

    def construct(self, x):
        return self.first(x), self.second(x), self.path(x)


def masks(network, x, step, value):
    step.set_data(Tensor(value, ms.int32))
    return [(output.asnumpy() != 0) for output in network(x)]


@MODES
def test_masks_follow_the_step_and_the_layer(mode):
    ms.set_context(mode=mode)
    network, step, x = Net().set_train(True), step_parameter(), Tensor(np.ones((64, 32), np.float32))
    share_random_step(network, step, seed=1, rank=0)
    zero, one, again = (masks(network, x, step, value) for value in (0, 1, 0))
    for layer in range(3):
        assert not np.array_equal(zero[layer], one[layer])
        np.testing.assert_array_equal(zero[layer], again[layer])
    assert not np.array_equal(zero[0], zero[1])
    assert zero[0].mean() == pytest.approx(0.5, abs=0.05)
    per_image = zero[2].mean(1)  # an image's branch is kept or dropped as a whole
    assert set(per_image.tolist()) == {0.0, 1.0}
    assert len(network.compile_cache) == (1 if mode == ms.GRAPH_MODE else 0)


def test_seeds_and_ranks_differ():
    ms.set_context(mode=ms.PYNATIVE_MODE)
    x, found = Tensor(np.ones((64, 32), np.float32)), []
    for seed, rank in ((1, 0), (1, 1), (2, 0)):
        network, step = Net().set_train(True), step_parameter()
        share_random_step(network, step, seed=seed, rank=rank)
        found.append(masks(network, x, step, 0)[0])
    shares = [(a == b).mean() for a, b in ((found[0], found[1]), (found[0], found[2]), (found[1], found[2]))]
    np.testing.assert_allclose(shares, 0.5, atol=0.05)


def test_scaling_keeps_the_mean():
    ms.set_context(mode=ms.PYNATIVE_MODE)
    x = Tensor(np.ones((512, 64), np.float32))
    output = dropout(0.2).set_train(True)(x).asnumpy()
    assert sorted(set(output.ravel().tolist())) == [0.0, 1.25]
    assert output.mean() == pytest.approx(1.0, abs=0.02)


@pytest.mark.parametrize(
    "layer", [dropout(0.3), drop_path(0.3), channel_dropout(0.3), dropout(0.0), drop_path(0.0), channel_dropout(0.0)]
)
def test_nothing_happens_in_evaluation_or_at_rate_zero(layer):
    ms.set_context(mode=ms.PYNATIVE_MODE)
    x = Tensor(np.ones((8, 4), np.float32))
    training = isinstance(layer, nn.Identity)
    np.testing.assert_array_equal(layer.set_train(training)(x).asnumpy(), x.asnumpy())


def test_channels_are_dropped_whole():
    ms.set_context(mode=ms.PYNATIVE_MODE)
    output = channel_dropout(0.2).set_train(True)(Tensor(np.ones((8, 64, 3, 5), np.float32))).asnumpy()
    per_channel = output.reshape(8 * 64, 15)
    assert set(map(tuple, per_channel.tolist())) == {(0.0,) * 15, (1.25,) * 15}
    assert output.mean() == pytest.approx(1.0, abs=0.1)


def test_the_counter_is_no_parameter_of_the_network():
    network = create_model("vig_nano", 10, drop_path_rate=0.2, drop_rate=0.1)
    before = [name for name, _ in network.parameters_and_names()]
    share_random_step(network, step_parameter(), seed=0, rank=0)
    assert [name for name, _ in network.parameters_and_names()] == before
    assert sum(isinstance(cell, KeyedRandom) for _, cell in network.cells_and_names()) == 7


def test_a_network_without_counter_trains():
    ms.set_context(mode=ms.PYNATIVE_MODE)
    network = create_model("resnext_nano", 10, drop_path_rate=0.2, drop_rate=0.1).set_train(True)
    images = Tensor(np.ones((2, 3, 32, 32), np.float32))
    np.testing.assert_array_equal(network.features(images).asnumpy().shape, (2, 512))
    assert network(images).shape == (2, 10)


MASKS_IN_A_PROCESS = """
import mindspore as ms, numpy as np, zlib
from mindspore import Parameter, Tensor
from src.models import share_random_step
from src.models.layers import dropout
ms.set_context(mode=ms.GRAPH_MODE)
layer = dropout(0.5).set_train(True)
share_random_step(layer, Parameter(Tensor(5, ms.int32), name="step", requires_grad=False), seed=3, rank=1)
print(zlib.crc32(layer(Tensor(np.ones((1024,), np.float32))).asnumpy().tobytes()))
"""


def test_equal_in_every_process():
    command = [sys.executable, "-c", MASKS_IN_A_PROCESS]
    outputs = {subprocess.run(command, cwd=ROOT, capture_output=True, text=True).stdout for _ in range(2)}
    assert outputs == {"1434965595\n"}
