"""Global L2 norms of gradients, weights and updates, to spot divergence early."""

from __future__ import annotations

from collections.abc import Sequence

import mindspore as ms
import numpy as np
from mindspore import Parameter, ParameterTuple, Tensor, nn, ops

from src.step.gradients import sum_of_squares

NORMS = ("grad_norm", "weight_norm", "update_norm")


class Norms(nn.Cell):
    """Norms of the gradients, the weights and the last update, kept on the device until they are read.

    Cost: a copy of the weights and four passes over them per step.
    """

    def __init__(self, weights: Sequence[Parameter]):
        super().__init__(auto_prefix=False)
        self.weights = ParameterTuple(weights)
        self.before = ParameterTuple(
            Parameter(Tensor(weight.asnumpy()), name=f"before.{weight.name}", requires_grad=False) for weight in weights
        )
        self.values = Parameter(Tensor(np.zeros(len(NORMS), np.float32)), name="norms", requires_grad=False)
        self.map = ops.HyperMap()

    def remember(self) -> tuple:
        """Copy the weights; called before each update."""
        return self.map(ops.assign, self.before, self.weights)

    def construct(self, gradients: tuple[Tensor, ...]) -> Tensor:
        """Gradients, in the shapes of the weights -> (3,) float32, the values of NORMS; called after each update."""
        updates = self.map(ops.sub, self.weights, self.before)
        norms = ops.stack((self.norm(gradients), self.norm(self.weights), self.norm(updates)))
        return ops.assign(self.values, norms)

    def norm(self, tensors: tuple[Tensor, ...]) -> Tensor:
        """L2 norm over all tensors, a float32 scalar."""
        return ops.sqrt(ops.addn(self.map(sum_of_squares, tensors))).astype(ms.float32)

    def read(self) -> dict[str, float]:
        """{name: norm} of the last step; synchronises with the device."""
        return dict(zip(NORMS, map(float, self.values.asnumpy()), strict=True))
