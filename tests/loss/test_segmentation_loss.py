"""The segmentation loss against numbers worked out by hand: two classes, so that logits (0, z) predict z's share.

Probabilities of label 0 at z = log(1/4), log 1, log 4, log 9: 0.8, 0.5, 0.2, 0.1.
"""

import mindspore as ms
import numpy as np
import pytest
from mindspore import Tensor, nn

from src.loss import create_loss

PROBABILITIES = np.array([0.8, 0.5, 0.2, 0.1])
LOGITS = np.stack([np.zeros(4), np.log(1 / PROBABILITIES - 1)]).reshape(1, 2, 2, 2).astype(np.float32)
LOSSES = -np.log(PROBABILITIES)
EASY = np.zeros((1, 2, 2, 2), np.float32)  # auxiliary logits: log 2 at each valid pixel


@pytest.fixture(params=[ms.GRAPH_MODE, ms.PYNATIVE_MODE], ids=["graph", "pynative"], autouse=True)
def mode(request):
    before = ms.get_context("mode")
    ms.set_context(mode=request.param)
    yield
    ms.set_context(mode=before)


def labels(*values):
    return Tensor(np.int32(values).reshape(1, 2, 2))


def loss(thres, keep, **options):
    return create_loss("ohem", class_num=2, ohem_thres=thres, ohem_keep=keep, **options)


@pytest.mark.parametrize(
    ("thres", "keep", "expected"),
    [
        (0.3, 1, [2, 3]),  # 0.2 and 0.1 are hard
        (0.3, 2, [2, 3]),
        (0.3, 3, [1, 2, 3]),  # the third smallest, 0.5, raises the threshold
        (0.05, 1, [3]),
        (0.3, 4, [0, 1, 2, 3]),
        (0.3, 5, [0, 1, 2, 3]),  # more than there are pixels
        (0.3, 0, [0, 1, 2, 3]),
    ],
)
def test_which_pixels_count(thres, keep, expected):
    cell = loss(thres, keep).ohem
    found = float(cell(Tensor(LOGITS), labels(0, 0, 0, 0)))
    assert found == pytest.approx(LOSSES[expected].mean(), rel=1e-6)


def test_fewer_valid_pixels_than_keep_all_count():
    found = float(loss(0.3, 3).ohem(Tensor(LOGITS), labels(0, 0, 255, 255)))
    assert found == pytest.approx(LOSSES[:2].mean(), rel=1e-6)


def test_the_auxiliary_logits_are_weighted_and_not_mined():
    found = float(loss(0.3, 1, aux_weight=0.5)((Tensor(LOGITS), Tensor(EASY)), labels(255, 0, 0, 0)))
    assert found == pytest.approx(LOSSES[2:].mean() + 0.5 * np.log(2), rel=1e-6)


class BothHeads(nn.Cell):
    """The loss as a function of two tensors, since a tuple has no gradient."""

    def __init__(self, keep):
        super().__init__()
        self.loss = loss(0.7, keep)

    def construct(self, logits, auxiliary, label):
        return self.loss((logits, auxiliary), label)


@pytest.mark.parametrize("keep", [0, 1, 4])
def test_nothing_to_learn_from_gives_zero(keep):
    inputs = Tensor(LOGITS), Tensor(EASY), labels(255, 255, 255, 255)
    value, gradients = ms.value_and_grad(BothHeads(keep), (0, 1))(*inputs)
    assert float(value) == 0.0
    assert [float(np.abs(gradient.asnumpy()).max()) for gradient in gradients] == [0.0, 0.0]


def test_large_float16_logits_stay_finite():
    logits = Tensor(np.float16([60000, -60000]).reshape(1, 2, 1, 1))
    found = loss(0.7, 1)((logits, logits), Tensor(np.int32([[[1]]])))
    assert found.dtype == ms.float32
    assert float(found) == pytest.approx(1.4 * 120000)


def test_another_ignored_label():
    found = float(loss(0.3, 0, ignore_label=1).ohem(Tensor(LOGITS), labels(0, 1, 1, 1)))
    assert found == pytest.approx(LOSSES[0], rel=1e-6)
