"""Parts that keep their weights."""

import mindspore as ms
import numpy as np
import pytest
from mindspore import Tensor

from src.loss import create_loss
from src.models import create_model
from src.optimizers import create_optimizer
from src.step.train_step import TrainStep
from src.training.freezing import freeze
from tests.support.user_errors import message_of


@pytest.fixture
def network():
    return create_model("resnext_nano", class_num=10, image_size=32)


def test_frozen_weights_and_statistics_stay_and_the_others_move(network):
    text = freeze(network, "conv1, bn1,layer1,layer2.0.bn1")
    assert text.startswith("frozen: conv1, bn1, layer1, layer2.0.bn1 (17 of 53 tensors, ")
    optimizer = create_optimizer("sgd", network.trainable_params(), [0.1])
    step = TrainStep(network.set_train(), create_loss("ce", class_num=10), optimizer, ema_decay=0.9)
    before = {name: parameter.asnumpy().copy() for name, parameter in network.parameters_and_names()}
    generator = np.random.default_rng(0)
    step(Tensor(generator.standard_normal((4, 3, 32, 32)).astype(np.float32)), Tensor([1, 2, 3, 4], ms.int32))
    after = {name: parameter.asnumpy() for name, parameter in network.parameters_and_names()}
    stayed = {name for name in before if before[name].tobytes() == after[name].tobytes()}
    frozen = {name for name in before if name.startswith(("conv1.", "bn1.", "layer1.", "layer2.0.bn1."))}
    assert stayed == frozen
    assert {"bn1.moving_mean", "layer1.0.bn2.moving_variance"} < frozen


def test_nothing_is_frozen_by_default(network):
    assert freeze(network, "") == ""
    assert len(network.trainable_params()) == 53


def test_a_part_that_is_not_there_is_answered_with_those_that_are(network):
    assert message_of(freeze, network, "stem") == (
        "freeze: the network has no part stem: it has conv1, bn1, layer1, layer2, layer3, layer4, fc"
    )
    assert message_of(freeze, network, "conv1,layer1.0.conv") == (
        "freeze: the network has no part layer1.0.conv: it has layer1.0.conv1, layer1.0.bn1, layer1.0.conv2, "
        "layer1.0.bn2, layer1.0.conv3, layer1.0.bn3, layer1.0.downsample"
    )
    assert message_of(freeze, network, "layer1.1") == "freeze: the network has no part layer1.1: it has layer1.0"


def test_something_must_be_left_to_train(network):
    everything = "conv1,bn1,layer1,layer2,layer3,layer4,fc"
    assert message_of(freeze, network, everything) == (
        f"freeze: {everything} is the whole network, nothing is left to train: leave a part out"
    )
