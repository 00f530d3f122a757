"""Losses against numbers worked out by hand on two samples of three classes.

log_softmax of the logits: (-0.407606, -1.407606, -2.407606) and (-3.065884, -0.065884, -4.065884).
"""

import mindspore as ms
import numpy as np
import pytest
from mindspore import Tensor

from src.loss import create_loss

LOGITS = np.float32([[2, 1, 0], [0, 3, -1]])
LABELS = np.int32([0, 2])
SOFT = np.float32([[0.7, 0.3, 0], [0.2, 0.5, 0.3]])


@pytest.fixture(params=[ms.GRAPH_MODE, ms.PYNATIVE_MODE], ids=["graph", "pynative"], autouse=True)
def mode(request):
    before = ms.get_context("mode")
    ms.set_context(mode=request.param)
    yield
    ms.set_context(mode=before)


@pytest.mark.parametrize(
    ("name", "smoothing", "target", "expected"),
    [
        ("ce", 0.0, LABELS, 2.2367449),  # (0.407606 + 4.065884) / 2
        ("ce_smooth", 0.1, LABELS, 2.2034116),
        ("ce_smooth", 0.1, np.eye(3, dtype=np.float32)[LABELS], 2.2034116),
        ("ce", 0.0, SOFT, 1.2867449),
        ("ce_smooth_mixup", 0.1, SOFT, 1.3484116),
        ("soft_target", 0.1, SOFT, 1.2867449),  # takes the target as it comes
    ],
)
def test_values(name, smoothing, target, expected):
    loss = create_loss(name, class_num=3, label_smoothing=smoothing)(Tensor(LOGITS), Tensor(target))
    assert loss.shape == () and loss.dtype == ms.float32
    np.testing.assert_allclose(float(loss.asnumpy()), expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("settings", "target", "expected"),
    [
        # softplus of the logits: 2.126928, 1.313262, 0.693147, 0.693147, 3.048587, 0.313262; minus target * logit
        ({}, LABELS, 1.1980554),  # (8.188333 - 2 + 1) / 6
        ({}, SOFT, 0.8813887),
        ({"label_smoothing": 0.3}, LABELS, 1.1647221),  # targets 0.8 and 0.1
        ({"target_threshold": 0.4}, SOFT, 0.5313887),  # (1, 0, 0) and (0, 1, 0)
    ],
)
def test_binary_cross_entropy(settings, target, expected):
    loss = create_loss("bce", class_num=3, **settings)(Tensor(LOGITS), Tensor(target))
    assert loss.shape == () and loss.dtype == ms.float32
    np.testing.assert_allclose(float(loss.asnumpy()), expected, rtol=1e-6)


def test_gradient_of_binary_cross_entropy_is_sigmoid_minus_target():
    loss = create_loss("bce", class_num=3)
    gradient = ms.grad(loss, 0)(Tensor(np.float32([[0, 100, -100]])), Tensor(np.float32([[0.3, 0, 0]]))).asnumpy()
    np.testing.assert_allclose(3 * gradient, [[0.2, 1, 0]], atol=1e-6)


def test_gradient_is_probability_minus_target_over_batch():
    loss = create_loss("ce_smooth", class_num=3, label_smoothing=0.3)
    gradient = ms.grad(loss, 0)(Tensor(LOGITS), Tensor(LABELS)).asnumpy()
    # softmax = (0.665241, 0.244728, 0.090031), (0.046613, 0.936240, 0.017148); target = 0.8 and 0.1
    expected = [[-0.06737953, 0.07236424, -0.00498472], [-0.02669370, 0.41811985, -0.39142615]]
    np.testing.assert_allclose(gradient, expected, atol=1e-6)


def test_large_float16_logits_stay_finite():
    logits = Tensor(np.float16([[60000, -60000, 0], [0, 0, 60000]]))
    loss = create_loss("ce_smooth", class_num=3, label_smoothing=0.1)(logits, Tensor(LABELS))
    # the smoothing's share of each wrong class: 0.1 / 3 * (60000 + 120000) and 0.1 / 3 * (60000 + 60000)
    np.testing.assert_allclose(float(loss.asnumpy()), 5000.0, rtol=1e-5)


def test_unknown_name_lists_the_nearest_first():
    with pytest.raises(ValueError, match="unknown loss 'ce_smoth': choose one of ce_smooth, ce_smooth_mixup"):
        create_loss("ce_smoth", class_num=3)
