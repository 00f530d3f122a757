"""How long gradients, weights and updates are: what tells a healthy run from one that drifts."""

from __future__ import annotations

from collections.abc import Sequence

import mindspore as ms
import numpy as np
from mindspore import Parameter, ParameterTuple, Tensor, nn, ops

from src.step.gradients import sum_of_squares

NORMS = ("grad_norm", "weight_norm", "update_norm")


class Norms(nn.Cell):
    """Global norms of the gradients, the weights and the last update, kept on the device until somebody reads them.

    Costs a copy of the weights and four passes over them a step.
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
        """Keep the weights as they are before an update."""
        return self.map(ops.assign, self.before, self.weights)

    def construct(self, gradients: tuple[Tensor, ...]) -> Tensor:
        """Take the norms after an update."""
        updates = self.map(ops.sub, self.weights, self.before)
        norms = ops.stack((self.norm(gradients), self.norm(self.weights), self.norm(updates)))
        return ops.assign(self.values, norms)

    def norm(self, tensors: tuple[Tensor, ...]) -> Tensor:
        """Of all tensors together."""
        return ops.sqrt(ops.addn(self.map(sum_of_squares, tensors))).astype(ms.float32)

    def read(self) -> dict[str, float]:
        """The last step's norms by name; waits for the device."""
        return dict(zip(NORMS, map(float, self.values.asnumpy()), strict=True))
