"""Exponential moving average of the weights."""

from __future__ import annotations

from collections.abc import Sequence

import mindspore as ms
from mindspore import Parameter, ParameterTuple, Tensor, nn, ops


class WeightAverage(nn.Cell):
    """Averages of the trainable weights; BatchNorm statistics are averages already and are taken as they are.

    The decay warms up as min(decay, (1 + t) / (10 + t)) with t the number of updates, so that the random start is
    soon forgotten.
    """

    def __init__(self, weights: Sequence[Parameter], decay: float):
        super().__init__(auto_prefix=False)
        self.decay = decay
        self.weights = ParameterTuple(weights)
        self.averages = ParameterTuple(
            Parameter(Tensor(weight.asnumpy()), name=f"ema.{weight.name}", requires_grad=False) for weight in weights
        )
        self.map = ops.HyperMap()

    def construct(self, num_updates: Tensor) -> Tensor:
        """Move the averages towards the weights."""
        t = num_updates.astype(ms.float32)
        decay = ops.minimum((1.0 + t) / (10.0 + t), Tensor(self.decay, ms.float32))
        return self.map(ops.partial(_move, decay), self.averages, self.weights)

    def restart(self) -> None:
        """Begin again from the weights as they are now (after a checkpoint was loaded into them)."""
        for average, weight in zip(self.averages, self.weights, strict=True):
            average.set_data(Tensor(weight.asnumpy()))


def _move(decay: Tensor, average: Parameter, weight: Parameter) -> bool:
    return ops.assign(average, decay * average + (1.0 - decay) * weight)
