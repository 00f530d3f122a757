"""Exponential moving average of the weights."""

from __future__ import annotations

from collections.abc import Sequence

import mindspore as ms
from mindspore import Parameter, ParameterTuple, Tensor, nn, ops


class WeightAverage(nn.Cell):
    """Averages of the trainable weights. BatchNorm statistics, being averages already, are not averaged again.

    The decay warms up as min(decay, (1 + t) / (10 + t)) after t updates, so that the initial weights soon lose their
    influence.

    Args:
        weights: the trainable parameters.
        decay: final decay per update, 0-1.
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
        """num_updates, an int32 scalar -> the updated averages, in the shapes of the weights."""
        t = num_updates.astype(ms.float32)
        decay = ops.minimum((1.0 + t) / (10.0 + t), Tensor(self.decay, ms.float32))
        return self.map(ops.partial(_move, decay), self.averages, self.weights)

    def restart(self) -> None:
        """Reset the averages to the current weights, after a checkpoint has been loaded into them."""
        for average, weight in zip(self.averages, self.weights, strict=True):
            average.set_data(Tensor(weight.asnumpy()))


def _move(decay: Tensor, average: Parameter, weight: Parameter) -> bool:
    return ops.assign(average, decay * average + (1.0 - decay) * weight)
