"""The factor of the loss in a float16 backward pass."""

from __future__ import annotations

import mindspore as ms
from mindspore import Parameter, Tensor, nn, ops

GROW_AFTER = 2000  # good steps between two doublings


class LossScale(nn.Cell):
    """Static or dynamic scale. Its state are two scalars, so that a resumed run goes on with the same scale."""

    def __init__(self, scale: float, dynamic: bool):
        super().__init__()
        self.dynamic = dynamic
        self.scale = Parameter(Tensor(scale, ms.float32), name="loss_scale", requires_grad=False)
        self.good_steps = Parameter(Tensor(0, ms.int32), name="good_steps", requires_grad=False)

    def construct(self, finite: Tensor) -> Tensor:
        """After a step: halve the scale on overflow, double it after GROW_AFTER good steps."""
        if not self.dynamic:
            return self.scale
        good = ops.select(finite, self.good_steps + 1, ops.zeros_like(self.good_steps))
        grow = good >= GROW_AFTER
        factor = ops.select(finite, ops.select(grow, Tensor(2.0), Tensor(1.0)), Tensor(0.5))
        ops.assign(self.good_steps, ops.select(grow, ops.zeros_like(good), good))
        ops.assign(self.scale, ops.maximum(self.scale * factor, Tensor(1.0, ms.float32)))
        return self.scale
