"""Optimizers inside a compiled training step: the same bits in both modes, resumed or not."""

import mindspore as ms
import numpy as np
import pytest
from mindspore import Tensor, nn, ops

from src.optimizers import create_optimizer
from tests.support.kernels import NEEDS_COMPILER, kernels

RATES = np.linspace(0.01, 0.1, 6)
INPUTS = np.random.default_rng(0).normal(size=(6, 4, 5)).astype(np.float32)
COMPILED = pytest.param("compiled adamw", marks=NEEDS_COMPILER)
NAMES = ["adamw", "adamweightdecay", "lamb", "lion", "momentum", COMPILED]


@pytest.fixture(autouse=True)
def restored_mode():
    before = ms.get_context("mode")
    yield
    ms.set_context(mode=before)


class Network(nn.Cell):
    """Two layers whose weights are the same at every construction."""

    def __init__(self):
        super().__init__()
        self.hidden = nn.Dense(5, 37)
        self.head = nn.Dense(37, 1)
        rng = np.random.default_rng(1)
        for parameter in self.get_parameters():
            parameter.set_data(Tensor(rng.normal(size=parameter.shape).astype(np.float32)))

    def construct(self, x):
        return ops.square(self.head(ops.tanh(self.hidden(x)))).mean()


class Step(nn.Cell):
    """Forward, backward and, when the loss is below the limit, the optimizer."""

    def __init__(self, network, optimizer, loss_limit):
        super().__init__(auto_prefix=False)
        self.network, self.optimizer, self.loss_limit = network, optimizer, loss_limit
        self.gradients = ops.value_and_grad(network, None, optimizer.parameters)

    def construct(self, x):
        loss, gradients = self.gradients(x)
        if loss < self.loss_limit:
            loss = ops.depend(loss, self.optimizer(gradients))
        return loss


def build(name, loss_limit=1e9):
    network = Network()
    options = {"weight_decay": 0.05, "no_weight_decay_filter": "bias"}
    if name.startswith("compiled "):
        options["kernels"] = kernels().kernels
    optimizer = create_optimizer(name.removeprefix("compiled "), network.trainable_params(), RATES, **options)
    return Step(network, optimizer, loss_limit)


def train(step, inputs):
    for x in inputs:
        step(Tensor(x))
    return snapshot(step.optimizer)


def snapshot(optimizer):
    return {parameter.name: parameter.asnumpy().copy() for parameter in optimizer.get_parameters()}


def assert_same_bits(left, right):
    assert sorted(left) == sorted(right)
    assert [name for name in left if left[name].tobytes() != right[name].tobytes()] == []


@pytest.mark.parametrize("name", NAMES)
def test_graph_and_pynative_give_the_same_bits(name):
    """From given gradients: inside the network the two modes are free to differ."""
    weights = []
    for mode in (ms.GRAPH_MODE, ms.PYNATIVE_MODE):
        ms.set_context(mode=mode)
        optimizer = build(name).optimizer
        rng = np.random.default_rng(2)
        for _ in range(6):
            gradients = [rng.normal(size=weight.shape) for weight in optimizer.parameters]
            optimizer(tuple(Tensor(gradient.astype(np.float32)) for gradient in gradients))
        weights.append(snapshot(optimizer))
    assert_same_bits(*weights)


@pytest.mark.parametrize("name", NAMES)
def test_three_steps_restored_and_three_more_equal_six(name):
    ms.set_context(mode=ms.GRAPH_MODE)
    uninterrupted = train(build(name), INPUTS)
    saved = train(build(name), INPUTS[:3])
    resumed = build(name)
    for parameter in resumed.optimizer.get_parameters():
        parameter.set_data(Tensor(saved[parameter.name]))
    assert_same_bits(train(resumed, INPUTS[3:]), uninterrupted)


@pytest.mark.parametrize("name", ["adamw", COMPILED])
def test_a_skipped_step_changes_nothing(name):
    ms.set_context(mode=ms.GRAPH_MODE)
    step = build(name, loss_limit=0.0)
    before = snapshot(step.optimizer)
    assert_same_bits(train(step, INPUTS[:2]), before)


def test_state_names():
    optimizer = build("adamw").optimizer
    weights = ["hidden.weight", "hidden.bias", "head.weight", "head.bias"]
    assert [weight.name for weight in optimizer.parameters] == weights
    expected = ["global_step"] + [f"{moment}.{name}" for moment in ("moment1", "moment2") for name in weights]
    assert [parameter.name for parameter in optimizer.state()] == expected
    assert [parameter.name for parameter in build("lamb").optimizer.state()] == expected
    assert [p.name for p in build("lion").optimizer.state()][1] == "moment.hidden.weight"
    assert [p.name for p in build("sgd").optimizer.state()][1] == "velocity.hidden.weight"
