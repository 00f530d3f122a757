"""Norms of gradients, weights and updates."""

import mindspore as ms
import numpy as np
import pytest

from src.step.loss_scale import LossScale
from tests.support.small_step import IMAGES, LABELS, small_step


@pytest.mark.parametrize("mode", [ms.GRAPH_MODE, ms.PYNATIVE_MODE])
@pytest.mark.parametrize("scale", [None, LossScale(1024.0, False)])
def test_norms_of_a_step(mode, scale):
    """Plain descent at a rate of 0.1, clipped to 0.01: the gradient is told as it was before the clip."""
    ms.set_context(mode=mode)
    free = small_step(scale, opt="sgd", log_norms=True)
    before = free.network.dense.weight.asnumpy().copy()
    free(IMAGES, LABELS)
    after = free.network.dense.weight.asnumpy()
    norms = free.norms.read()
    assert norms == pytest.approx(
        {
            "grad_norm": np.linalg.norm(after - before) / 0.1,
            "weight_norm": np.linalg.norm(after),
            "update_norm": np.linalg.norm(after - before),
        },
        rel=1e-5,
    )
    clipped = small_step(scale, opt="sgd", log_norms=True, clip_norm=0.01)
    clipped(IMAGES, LABELS)
    assert clipped.norms.read()["grad_norm"] == pytest.approx(norms["grad_norm"], rel=1e-6)
    assert clipped.norms.read()["update_norm"] == pytest.approx(0.001, rel=1e-4)


def test_norms_change_nothing_and_are_no_state():
    plain, watched = small_step(ema_decay=0.9), small_step(ema_decay=0.9, log_norms=True)
    for _ in range(3):
        plain(IMAGES, LABELS)
        watched(IMAGES, LABELS)
    assert plain.network.dense.weight.asnumpy().tobytes() == watched.network.dense.weight.asnumpy().tobytes()
    assert set(plain.state()) == set(watched.state())
