"""Lion: the sign of an interpolated momentum."""

from typing import Any

import mindspore as ms
from mindspore import Tensor, ops

from src.optimizers.base import Optimizer


def _update(betas, shares, rate, decay, scale, weight, moment, gradient):
    gradient = gradient.astype(ms.float32)
    direction = ops.sign(betas[0] * moment + shares[0] * gradient) + decay * weight
    moved = ops.assign(weight, weight - rate * scale * direction)
    remembered = ops.assign(moment, betas[1] * moment + shares[1] * gradient)
    return moved, remembered


class Lion(Optimizer):
    """Chen et al., "Symbolic Discovery of Optimization Algorithms", arXiv 2302.06675, algorithm 2:

    `w -= rate * (sign(beta1 * m + (1 - beta1) * g) + decay * w); m = beta2 * m + (1 - beta2) * g`.
    The authors use betas 0.9 and 0.99, a learning rate 3 to 10 times lower than AdamW's and a decay higher by the same
    factor.
    """

    def __init__(self, *common: Any, beta1: float, beta2: float):
        super().__init__(*common)
        self.betas = (beta1, beta2)
        self.shares = (1.0 - beta1, 1.0 - beta2)  # computed here: a graph would subtract in float32
        self.moments = self.zeros_for_each_parameter("moment")

    def construct(self, gradients: tuple[Tensor, ...]) -> tuple:
        """Update the parameters in place from gradients of any float type."""
        return self.for_each_parameter(
            ops.partial(_update, self.betas, self.shares, self.next_learning_rate()),
            self.weight_decays,
            self.rate_scales,
            self.parameters,
            self.moments,
            gradients,
        )
