"""One update from the gradients of several batches."""

import mindspore as ms
import numpy as np
import pytest
from mindspore import Tensor, nn, ops

from src.loss import create_loss
from src.models import share_random_step
from src.models.layers.dropout import Dropout
from src.optimizers import create_optimizer
from src.step.loss_scale import LossScale
from src.step.train_step import TrainStep
from tests.support.small_step import small_step, values

GENERATOR = np.random.default_rng(0)
IMAGES = Tensor(GENERATOR.standard_normal((64, 3)).astype(np.float32))
LABELS = Tensor(GENERATOR.integers(0, 2, 64).astype(np.int32))
MIXED = Tensor(GENERATOR.dirichlet((1, 1), 64).astype(np.float32))
OVERFLOWING = Tensor(np.concatenate([IMAGES.asnumpy()[:32], np.full((32, 3), 3e38, np.float32)]))
OPTIONS = {"clip_norm": 0.1, "centralize": True, "ema_decay": 0.9}


@pytest.mark.parametrize(
    ("mode", "scale", "targets"),
    [
        (ms.GRAPH_MODE, None, LABELS),
        (ms.GRAPH_MODE, LossScale(1024.0, True), MIXED),
        (ms.PYNATIVE_MODE, None, MIXED),
        (ms.PYNATIVE_MODE, LossScale(1024.0, True), LABELS),
    ],
)
def test_two_batches_of_32_are_one_of_64(mode, scale, targets):
    ms.set_context(mode=mode)
    whole, halves = small_step(**OPTIONS), small_step(scale, num_batches=2, **OPTIONS)
    for _ in range(3):
        losses = [float(step(IMAGES, targets).asnumpy()) for step in (whole, halves)]
        assert losses[0] == pytest.approx(losses[1], rel=1e-6)
    expected, found = values(whole), values(halves)
    for name in ("dense.weight", "ema.dense.weight", "optimizer.moment1.dense.weight"):
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-6, atol=1e-7, err_msg=name)
    assert (found["optimizer.global_step"], found["state.batches"]) == (3, 6)


def test_one_batch_that_overflows_spoils_the_update():
    step = small_step(LossScale(8.0, True), num_batches=2, **OPTIONS)
    before = values(step)
    step(OVERFLOWING, LABELS)
    after = values(step)
    changed = {name for name in before if before[name].tobytes() != after[name].tobytes()}
    assert changed == {"state.batches", "state.loss_scale"}
    assert (after["state.batches"], after["state.loss_scale"]) == (2, 4.0)


class CountedReduction(nn.Cell):
    """Stands where the ranks' mean is taken; `calls` counts."""

    def __init__(self):
        super().__init__(auto_prefix=False)
        self.calls = ms.Parameter(Tensor(0, ms.int32), name="calls", requires_grad=False)

    def construct(self, loss, gradients):
        return ops.depend(loss, ops.assign_add(self.calls, 1)), gradients


@pytest.mark.parametrize("scale", [None, LossScale(8.0, False)])
def test_ranks_talk_once_an_update(scale):
    step = small_step(scale, num_batches=4)
    step.all_reduce = CountedReduction()
    for _ in range(2):
        step(IMAGES, LABELS)
    assert (int(step.all_reduce.calls.asnumpy()), int(step.batches.asnumpy())) == (2, 8)


class Dropped(nn.Cell):
    """(B, 16) -> (B, 16), a weight a column, half of them dropped."""

    def __init__(self):
        super().__init__()
        self.weight = ms.Parameter(Tensor(np.ones(16, np.float32)), name="weight")
        self.dropout = Dropout(0.5)

    def construct(self, x):
        return self.dropout(x * self.weight)


def moved(batch_numbers, mode):
    """How one plain descent step moves the weights, over images of ones whose batches have these numbers."""
    ms.set_context(mode=mode)
    network = Dropped().set_train()
    optimizer = create_optimizer("sgd", network.trainable_params(), [1.0], momentum=0.0)
    step = TrainStep(network, create_loss("ce", class_num=16), optimizer, num_batches=len(batch_numbers))
    step.batches.set_data(Tensor(batch_numbers[0], ms.int32))
    share_random_step(network, step.batches, 1, 0)
    step(Tensor(np.ones((len(batch_numbers), 16), np.float32)), Tensor(batch_numbers, ms.int32))
    return network.weight.asnumpy() - 1


@pytest.mark.parametrize("mode", [ms.GRAPH_MODE, ms.PYNATIVE_MODE])
def test_each_batch_draws_its_own_masks(mode):
    both, first, second = (moved(numbers, mode) for numbers in ([0, 1], [0], [1]))
    np.testing.assert_allclose(both, (first + second) / 2, rtol=1e-5, atol=1e-7)
    assert (first == 0).any()  # something was dropped
    assert (first == 0).tolist() != (second == 0).tolist()
