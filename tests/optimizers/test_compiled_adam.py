"""Adam's update by the compiled kernel, beside the framework's operator and the published formula."""

import mindspore as ms
import numpy as np
import pytest
from mindspore import Parameter, Tensor, nn, ops

from src.optimizers import create_optimizer
from src.runtime.graph_key import graph_key
from src.step.train_step import TrainStep
from tests.optimizers.test_optimizers import FIVE_STEPS, GRADIENTS, RATES, run, weight
from tests.support.kernels import NEEDS_COMPILER, kernels, normal, set_num_threads

pytestmark = NEEDS_COMPILER
SHAPES = [(), (1,), (7, 3), (5, 2, 3, 3), (16384,), (40001,)]
NAMES = ["adamw", "adamweightdecay"]


def create(name, parameters, compiled=True, **options):
    options = {"weight_decay": 0.05, "kernels": kernels().kernels if compiled else ""} | options
    return create_optimizer(name, parameters, RATES, **options)


def parameters():
    return [Parameter(Tensor(normal(*shape, seed=i)), name=f"block.{i}.w") for i, shape in enumerate(SHAPES)]


def state(optimizer):
    return {parameter.name: parameter.asnumpy().copy() for parameter in optimizer.get_parameters()}


def trained(optimizer):
    for step in range(4):
        optimizer(tuple(Tensor(normal(*shape, seed=10 * step + i)) for i, shape in enumerate(SHAPES)))
    return state(optimizer)


@pytest.mark.parametrize("name", NAMES)
def test_five_steps(name, mode):
    tolerance = 3e-6 if name == "adamweightdecay" else 1e-6
    np.testing.assert_allclose(run(create(name, [weight([1, -2, 0.5])]), GRADIENTS), FIVE_STEPS[name], rtol=tolerance)


@pytest.mark.parametrize("name", NAMES)
def test_it_equals_the_operator(name):
    options = {"no_weight_decay_filter": "1.w", "layer_decay": 0.7, "blocks": r"block\.\d"}
    own, standard = (trained(create(name, parameters(), compiled, **options)) for compiled in (True, False))
    assert list(own) == list(standard)
    for key, values in standard.items():
        np.testing.assert_allclose(own[key], values, rtol=2e-6, atol=1e-7, err_msg=key)


def test_neither_threads_nor_places_decide_the_rounding():
    found = []
    for number in (1, 2, 5):
        set_num_threads(number)
        optimizer = create("adamw", [weight(np.full(99999, 0.7))])
        after = run(optimizer, [np.full(99999, value) for value in np.random.default_rng(0).normal(size=5)])
        assert [len(np.unique(row)) for row in after] == [1] * 5
        found.append(after.tobytes())
    assert len(set(found)) == 1


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_a_gradient_that_is_not_finite_shows_in_its_weight_alone(wrong):
    optimizer = create("adamw", [weight(np.ones(40))])
    gradient = np.ones(40)
    gradient[17] = wrong
    (after,) = run(optimizer, [gradient])
    assert np.flatnonzero(~np.isfinite(after)).tolist() == [17]


def test_float16_gradients_are_refused(mode):
    optimizer = create("adamw", [weight([1, 2])])
    with pytest.raises(TypeError, match="float32 alone"):
        optimizer((Tensor(np.float16([0.5, 0.25])),))


def test_its_graphs_can_be_kept():
    """An object whose content can't be read would raise NoKeyError, and each start would compile anew."""
    keys = [graph_key(create("adamw", [weight([1])], beta1=beta), (Tensor([1.0]),)) for beta in (0.9, 0.8, 0.9)]
    assert keys[0] == keys[2] != keys[1]


class Layer(nn.Cell):
    """A layer whose weights are the same at every construction."""

    def __init__(self):
        super().__init__()
        self.dense = nn.Dense(6, 5)
        for seed, parameter in enumerate(self.get_parameters()):
            parameter.set_data(Tensor(normal(*parameter.shape, seed=seed)))

    def construct(self, x):
        return ops.tanh(self.dense(x))


def test_whole_steps_equal_those_of_the_operator():
    """With clipping before it, averages and norms after it, over several batches."""
    before, found = ms.get_context("mode"), []
    ms.set_context(mode=ms.GRAPH_MODE)
    for compiled in (True, False):
        network = Layer().set_train(True)
        optimizer = create("adamw", network.trainable_params(), compiled)
        options = {"clip_norm": 0.1, "ema_decay": 0.9, "num_batches": 2, "log_norms": True}
        step = TrainStep(network, nn.MSELoss(), optimizer, **options)
        losses = [float(step(Tensor(normal(8, 6, seed=i)), Tensor(normal(8, 5))).asnumpy()) for i in range(4)]
        values = {name: parameter.asnumpy() for name, parameter in step.state().items()}
        found.append(state(optimizer) | values | {"losses": losses} | step.last_norms())
    ms.set_context(mode=before)
    own, standard = found
    assert list(own) == list(standard)
    for name, values in standard.items():
        np.testing.assert_allclose(own[name], values, rtol=1e-5, atol=1e-7, err_msg=name)
