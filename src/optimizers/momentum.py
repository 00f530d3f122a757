"""Stochastic gradient descent with momentum."""

from typing import Any

import mindspore as ms
from mindspore import Tensor, ops

from src.optimizers.base import Optimizer


def _update(apply_momentum, cast, rate, momentum, decay, scale, weight, velocity, gradient):
    gradient = cast(gradient, ms.float32)
    if decay > 0:
        gradient = gradient + decay * weight
    return apply_momentum(weight, velocity, rate * scale, gradient, momentum)


class Momentum(Optimizer):
    """`v = momentum * v + (g + decay * w); w -= rate * v`, as nn.Momentum and PyTorch's SGD compute it."""

    def __init__(self, *common: Any, momentum: float):
        super().__init__(*common)
        self.momentum = momentum
        self.velocities = self.zeros_for_each_parameter("velocity")
        self.apply_momentum = ops.ApplyMomentum()
        self.cast = ops.Cast()  # an operator: the method of tensors takes long to compile

    def construct(self, gradients: tuple[Tensor, ...]) -> tuple:
        """Update the parameters in place from gradients of any float type."""
        return self.for_each_parameter(
            ops.partial(_update, self.apply_momentum, self.cast, self.next_learning_rate(), self.momentum),
            self.weight_decays,
            self.rate_scales,
            self.parameters,
            self.velocities,
            gradients,
        )
