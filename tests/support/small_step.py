"""A training step of a network small enough for arithmetic: logits = x W^T, its weight (2, 3)."""

from __future__ import annotations

import mindspore as ms
import numpy as np
from mindspore import Tensor, nn

from src.loss import create_loss
from src.optimizers import create_optimizer
from src.step.loss_scale import LossScale
from src.step.train_step import ScaledTrainStep, TrainStep

IMAGES = Tensor(np.random.default_rng(0).standard_normal((4, 3)).astype(np.float32))
LABELS = Tensor(np.array([0, 1, 1, 0], np.int32))


class Linear(nn.Cell):
    """(B, 3) -> (B, 2)"""

    def __init__(self):
        super().__init__()
        self.dense = nn.Dense(3, 2, has_bias=False)
        self.dense.weight.set_data(Tensor([[0.1, -0.2, 0.3], [0.0, 0.5, -0.1]], ms.float32))

    def construct(self, image):
        return self.dense(image)


def small_step(scale: LossScale | None = None, opt: str = "adamw", **options) -> TrainStep:
    """The step with a constant learning rate of 0.1 and the given parts."""
    network = Linear().set_train()
    optimizer = create_optimizer(opt, network.trainable_params(), np.full(100, 0.1))
    loss = create_loss("ce", class_num=2)
    if scale is None:
        return TrainStep(network, loss, optimizer, **options)
    return ScaledTrainStep(network, loss, optimizer, scale, **options)


def values(step: TrainStep) -> dict[str, np.ndarray]:
    """The weights and the whole training state."""
    parameters = {**step.network.parameters_dict(), **step.state()}
    return {name: parameter.asnumpy().copy() for name, parameter in parameters.items()}
