"""The step assembled from its cells."""

import mindspore as ms
import numpy as np
import pytest
from mindspore import Tensor

from src.step.loss_scale import LossScale
from tests.support.small_step import IMAGES, LABELS, small_step, values

MOMENTS = {"optimizer.moment1.dense.weight", "optimizer.moment2.dense.weight"}
OVERFLOWING = Tensor(np.full((4, 3), 3e38, np.float32))


def test_parts_that_are_off_are_not_there():
    plain = small_step()
    assert set(plain.state()) == {"optimizer.global_step", *MOMENTS, "state.batches"}
    assert (plain.all_reduce, plain.shape_gradients, plain.average, plain.loss_scale) == (None, None, None, None)


def test_parts_that_are_on_are_saved():
    full = small_step(LossScale(8.0, True), clip_norm=1.0, centralize=True, ema_decay=0.9)
    assert set(full.state()) == {
        *("optimizer.global_step", *MOMENTS, "ema.dense.weight"),
        *("state.loss_scale", "state.good_steps", "state.batches"),
    }
    assert [type(part).__name__ for part in full.shape_gradients] == ["Centralize", "ClipGlobalNorm"]


def test_a_step_is_gradient_descent_on_the_mean_loss():
    step = small_step(opt="sgd")
    weight = step.network.dense.weight.asnumpy().astype(np.float64)
    logits = IMAGES.asnumpy() @ weight.T
    shares = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    chosen = np.eye(2)[LABELS.asnumpy()]
    loss = step(IMAGES, LABELS)
    np.testing.assert_allclose(loss.asnumpy(), -np.log((shares * chosen).sum(1)).mean(), rtol=1e-5)
    expected = weight - 0.1 * (shares - chosen).T @ IMAGES.asnumpy() / 4
    np.testing.assert_allclose(step.network.dense.weight.asnumpy(), expected, rtol=1e-5)


@pytest.mark.parametrize("options", [{}, {"clip_norm": 0.1, "centralize": True, "ema_decay": 0.9}])
def test_a_scale_changes_rounding_at_most(options):
    plain, scaled = small_step(**options), small_step(LossScale(1024.0, False), **options)
    for _ in range(3):
        losses = [float(step(IMAGES, LABELS).asnumpy()) for step in (plain, scaled)]
        assert losses[0] == pytest.approx(losses[1], rel=1e-6)
    # Powers of two are exact.
    np.testing.assert_allclose(values(plain)["dense.weight"], values(scaled)["dense.weight"], rtol=1e-6)


def test_the_clip_bounds_what_a_step_moves():
    step = small_step(opt="sgd", clip_norm=0.01)
    before = step.network.dense.weight.asnumpy().copy()
    step(IMAGES, LABELS)
    moved = np.linalg.norm(step.network.dense.weight.asnumpy() - before)
    assert moved == pytest.approx(0.1 * 0.01, rel=1e-4)


def test_the_average_follows_the_updated_weights():
    step = small_step(ema_decay=0.9)
    before = values(step)["dense.weight"]
    step(IMAGES, LABELS)
    after = values(step)
    np.testing.assert_allclose(after["ema.dense.weight"], 2 / 11 * before + 9 / 11 * after["dense.weight"], rtol=1e-5)


def test_overflow_leaves_everything_but_the_batches():
    step = small_step(LossScale(8.0, True), clip_norm=1.0, centralize=True, ema_decay=0.9)
    step(IMAGES, LABELS)
    before = values(step)
    step(OVERFLOWING, LABELS)
    after = values(step)
    changed = {name for name in before if before[name].tobytes() != after[name].tobytes()}
    assert changed == {"state.batches", "state.loss_scale", "state.good_steps"}
    assert (before["state.batches"], after["state.batches"]) == (1, 2)
    assert (before["state.loss_scale"], after["state.loss_scale"]) == (8.0, 4.0)
    assert (after["optimizer.global_step"], after["state.good_steps"]) == (1, 0)
    step(IMAGES, LABELS)
    assert values(step)["optimizer.global_step"] == 2


def test_pynative_computes_what_the_graph_computes():
    results = []
    for mode in (ms.GRAPH_MODE, ms.PYNATIVE_MODE):
        ms.set_context(mode=mode)
        step = small_step(LossScale(8.0, True), clip_norm=0.5, centralize=True, ema_decay=0.9)
        losses = [float(step(batch, LABELS).asnumpy()) for batch in (IMAGES, OVERFLOWING, IMAGES, IMAGES)]
        results.append((losses[0], losses[2:], values(step)))
    graph, pynative = results
    assert graph[0] == pytest.approx(pynative[0], rel=1e-6)
    assert graph[1] == pytest.approx(pynative[1], rel=1e-6)
    for name, value in graph[2].items():
        np.testing.assert_allclose(value, pynative[2][name], rtol=1e-5, atol=1e-7, err_msg=name)
