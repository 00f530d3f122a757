"""LAMB: Adam with updates scaled to the norm of each tensor."""

import math
from typing import Any

import mindspore as ms
from mindspore import Tensor, ops

from src.optimizers.base import Optimizer


def _norm(tensor: Tensor) -> Tensor:
    return ops.sqrt(ops.square(tensor).sum())


def _trust_ratio(weight: Tensor, direction: Tensor) -> Tensor:
    """|weight| / |direction|; 1 where one of them is zero."""
    weight_norm, direction_norm = _norm(weight), _norm(direction)
    defined = ops.logical_and(weight_norm > 0, direction_norm > 0)
    safe = ops.select(defined, direction_norm, ops.ones_like(direction_norm))
    return ops.select(defined, weight_norm / safe, ops.ones_like(weight_norm))


def _one_minus_exp(exponent: Tensor) -> Tensor:
    """1 - exp(x) without cancellation: near zero the CPU's expm1 has an error of 1e-5, its tanh has not."""
    half = ops.tanh(0.5 * exponent)
    return 2.0 * half / (half - 1.0)


def _update(betas, shares, eps, corrections, rate, decay, scale, weight, moment1, moment2, gradient):
    gradient = gradient.astype(ms.float32)
    mean = betas[0] * moment1 + shares[0] * gradient
    square = betas[1] * moment2 + shares[1] * ops.square(gradient)
    direction = mean / corrections[0] / (ops.sqrt(square / corrections[1]) + eps)
    length = rate * scale
    if decay > 0:
        direction = direction + decay * weight
        length = length * _trust_ratio(weight, direction)
    moved = ops.assign(weight, weight - length * direction)
    return moved, ops.assign(moment1, mean), ops.assign(moment2, square)


class Lamb(Optimizer):
    """You et al., "Large Batch Optimization for Deep Learning", arXiv 1904.00962, algorithm 2 with phi(x) = x:

    `r = (m / c1) / (sqrt(v / c2) + eps) + decay * w; w -= rate * |w| / |r| * r` with `ci = 1 - beta_i ** t`.
    Parameters exempt from weight decay (biases, normalisations) take a plain Adam step, as in the authors' code: a bias
    that starts at zero has norm 0.
    """

    def __init__(self, *common: Any, beta1: float, beta2: float, eps: float):
        super().__init__(*common)
        self.betas, self.eps = (beta1, beta2), eps
        self.shares = (1.0 - beta1, 1.0 - beta2)  # computed here: a graph would subtract in float32
        self.log_beta1, self.log_beta2 = math.log(beta1), math.log(beta2)
        self.moment1 = self.zeros_for_each_parameter("moment1")
        self.moment2 = self.zeros_for_each_parameter("moment2")

    def construct(self, gradients: tuple[Tensor, ...]) -> tuple:
        """Update the parameters in place from gradients of any float type."""
        rate = self.next_learning_rate()
        num_steps = self.global_step.astype(ms.float32)
        corrections = (_one_minus_exp(num_steps * self.log_beta1), _one_minus_exp(num_steps * self.log_beta2))
        return self.for_each_parameter(
            ops.partial(_update, self.betas, self.shares, self.eps, corrections, rate),
            self.weight_decays,
            self.rate_scales,
            self.parameters,
            self.moment1,
            self.moment2,
            gradients,
        )
