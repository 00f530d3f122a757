"""Sums of losses and gradients over the batches of one step."""

from __future__ import annotations

from collections.abc import Sequence

import mindspore as ms
import numpy as np
from mindspore import Parameter, ParameterTuple, Tensor, nn, ops


class Accumulator(nn.Cell):
    """Adds up `num_batches` losses and tuples of gradients, then gives their means.

    The sums are parameters: on the CPU of MindSpore 2.10, values carried through the loop of the graph are wrong
    when two operators read them after it. They are not part of the training state: each step resets them.

    Args:
        parameters: the trained weights; gradients have their shapes.
        num_batches: batches per step.
    """

    def __init__(self, parameters: Sequence[Parameter], num_batches: int):
        super().__init__(auto_prefix=False)
        self.share = Tensor(1.0 / num_batches, ms.float32)
        self.loss = Parameter(Tensor(0.0, ms.float32), name="sum.loss", requires_grad=False)
        self.sums = ParameterTuple(
            Parameter(Tensor(np.zeros(parameter.shape, np.float32)), name=f"sum.{parameter.name}", requires_grad=False)
            for parameter in parameters
        )
        self.map = ops.HyperMap()

    def reset(self) -> None:
        """Set the sums to zero, at the beginning of a step."""
        self.map(ops.assign, self.sums, self.map(ops.zeros_like, self.sums))
        ops.assign(self.loss, ops.zeros_like(self.loss))

    def add(self, loss: Tensor, gradients: tuple[Tensor, ...]) -> None:
        """Add the loss (scalar) and the gradients (shapes of the weights) of one batch."""
        self.map(ops.assign_add, self.sums, gradients)
        ops.assign_add(self.loss, loss)

    def means(self) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Means over the batches: (scalar loss, gradients in the shapes of the weights)."""
        return self.loss * self.share, self.map(ops.partial(ops.mul, self.share), self.sums)
