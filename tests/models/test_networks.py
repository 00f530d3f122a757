"""Every classification network: trains in both modes and in half precision.

The smallest of each family always; the others are marked slow.
"""

import mindspore as ms
import numpy as np
import pytest
from mindspore import Tensor

from src.models import create_model, list_models, model_info
from tests.golden.compare import Sgd

SMALL = ["dgmn2_nano", "hlg_nano", "pvig_nano", "resnext_nano", "vig_nano"]
CLASSIFIERS = [name for name in list_models() if model_info(name).task == "classification"]
LARGE = [name for name in CLASSIFIERS if name not in (*SMALL, "resnext152")]
NETWORKS = [*SMALL, *(pytest.param(name, marks=pytest.mark.slow) for name in LARGE)]
EVERY_NETWORK = pytest.mark.parametrize("name", NETWORKS)
# Pyramid ViG has ViG's layers.
HALF_PRECISION = [(name, "O3") for name in SMALL if name != "pvig_nano"]
MORE_HALF_PRECISION = [
    pytest.param(name, level, marks=pytest.mark.slow)
    for name in (*SMALL, *LARGE)
    for level in ("O2", "O3")
    if (name, level) not in HALF_PRECISION
]
BATCH, CLASSES = 2, 10


def images(name):
    size = model_info(name).image_size
    return np.random.default_rng(0).standard_normal((BATCH, 3, size, size)).astype(np.float32)


def first_step(name, mode):
    """(loss, {parameter: gradient}) of the first training step, no dropout."""
    ms.set_context(mode=mode)
    step = Sgd(create_model(name, CLASSES).set_train(True), 0.01)
    loss, _, gradients = step(Tensor(images(name)), Tensor(np.arange(BATCH, dtype=np.int32)))
    names = [parameter.name for parameter in step.optimizer.parameters]
    return float(loss), {key: g.asnumpy() for key, g in zip(names, gradients, strict=True)}


@EVERY_NETWORK
def test_features_and_logits(name):
    ms.set_context(mode=ms.PYNATIVE_MODE)
    network = create_model(name, CLASSES).set_train(False)
    features = network.features(Tensor(images(name)))
    assert features.ndim == 2
    assert features.shape[0] == BATCH
    logits = network(Tensor(images(name))).asnumpy()
    assert logits.shape == (BATCH, CLASSES)
    assert np.isfinite(logits).all()


@EVERY_NETWORK
def test_gradients_in_both_modes(name):
    eager_loss, eager = first_step(name, ms.PYNATIVE_MODE)
    compiled_loss, compiled = first_step(name, ms.GRAPH_MODE)
    assert compiled_loss == pytest.approx(eager_loss, rel=1e-4)
    assert eager.keys() == compiled.keys()
    largest = max(np.linalg.norm(gradient) for gradient in eager.values())
    for key, gradient in eager.items():
        assert np.isfinite(gradient).all(), key
        assert np.linalg.norm(compiled[key] - gradient) <= 1e-3 * np.linalg.norm(gradient) + 1e-5 * largest, key


@pytest.mark.parametrize(("name", "level"), [*HALF_PRECISION, *MORE_HALF_PRECISION])
def test_half_precision(name, level):
    ms.set_context(mode=ms.GRAPH_MODE)
    network = create_model(name, CLASSES, drop_path_rate=0.1, drop_rate=0.1).set_train(True)
    network = ms.amp.auto_mixed_precision(network, level, ms.float16)
    step = Sgd(network, 0.001)
    loss, logits, gradients = step(Tensor(images(name)), Tensor(np.arange(BATCH, dtype=np.int32)))
    assert np.isfinite(float(loss))
    assert all(np.isfinite(gradient.asnumpy()).all() for gradient in gradients)
