"""Whole networks built from the kernels, against the same built from the framework's operators."""

import mindspore as ms
import numpy as np
import pytest
from mindspore import Tensor

from benchmarks.operators import traced_operators
from src.models import LayerContext, create_model, model_info
from tests.support.gradients import Gradients
from tests.support.kernels import NEEDS_COMPILER, gradients, kernels, normal

pytestmark = NEEDS_COMPILER
SLOW = pytest.mark.slow
OTHERS = ("vig_nano", "pvig_nano", "dgmn2_nano")
BATCH, CLASSES, TOLERANCE = 8, 10, 1e-4  # over fewer images, the BatchNorm of a head magnifies the rounding


@pytest.fixture(autouse=True)
def eager():
    ms.set_context(mode=ms.PYNATIVE_MODE)


def create(name, context):
    """The network for training. ReLU's inputs are far from 0, where rounding decides whether a gradient passes: by
    default one of a million does not, which changes the sums of its channel by a hundredth."""
    network = create_model(name, CLASSES, context=context).set_train(True)
    for parameter in network.trainable_params():
        if name.startswith("resnext") and parameter.name.endswith("beta"):
            parameter.set_data(Tensor(np.full(parameter.shape, 4, np.float32)))
    return network


@pytest.mark.parametrize(
    "name",
    ["vig_nano", "resnext_nano", *(pytest.param(f"{each}_nano", marks=SLOW) for each in ("pvig", "hlg", "dgmn2"))],
)
def test_outputs_gradients_and_statistics(name):
    size = model_info(name).image_size
    x, dout = normal(BATCH, 3, size, size), normal(BATCH, CLASSES, seed=1)
    found = []
    for context in (kernels(), LayerContext()):
        network = create(name, context)
        logits, (dx,), of_parameters = gradients(network, dout, x)
        moving = {parameter.name: parameter.asnumpy() for parameter in network.untrainable_params()}
        evaluated = network.set_train(False)(Tensor(x)).asnumpy()
        found.append((logits, dx, evaluated, of_parameters, moving))
    (*own, own_gradients, own_moving), (*standard, gradients_, moving) = found
    for mine, its in zip(own, standard, strict=True):
        np.testing.assert_allclose(mine, its, atol=TOLERANCE * np.abs(its).max())
    assert list(own_gradients) == list(gradients_)
    assert list(own_moving) == list(moving)
    most = max(np.abs(each).max() for each in gradients_.values())
    for name, gradient in gradients_.items():
        # The bias of a convolution before a BatchNorm has no gradient: what is left is the rounding of a long sum.
        least = most if name.endswith("bias") else 1e-2 * most
        largest = max(np.abs(gradient).max(), least)
        np.testing.assert_allclose(own_gradients[name], gradient, atol=TOLERANCE * largest, err_msg=name)
    for name, values in moving.items():
        np.testing.assert_allclose(own_moving[name], values, rtol=TOLERANCE, atol=1e-5, err_msg=name)


@pytest.mark.parametrize("name", ["resnext_nano", "hlg_nano", *(pytest.param(each, marks=SLOW) for each in OTHERS)])
def test_no_weight_is_copied(name):
    ms.set_context(mode=ms.GRAPH_MODE)
    size = model_info(name).image_size
    x, dout = Tensor(normal(BATCH, 3, size, size)), Tensor(normal(BATCH, CLASSES, seed=1))
    assert "TensorMove" not in traced_operators(Gradients(create(name, kernels())), x, dout)
