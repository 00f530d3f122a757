"""Loss scale: the factor on the loss that keeps float16 gradients from underflowing."""

from __future__ import annotations

import mindspore as ms
from mindspore import Parameter, Tensor, nn, ops

GROW_AFTER = 2000  # good steps between two doublings


class LossScale(nn.Cell):
    """Static or dynamic scale. Its state is two scalars, which a checkpoint holds.

    Args:
        scale: initial factor.
        dynamic: adapt the factor to overflows.
    """

    def __init__(self, scale: float, dynamic: bool):
        super().__init__()
        self.dynamic = dynamic
        self.scale = Parameter(Tensor(scale, ms.float32), name="loss_scale", requires_grad=False)
        self.good_steps = Parameter(Tensor(0, ms.int32), name="good_steps", requires_grad=False)

    def construct(self, finite: Tensor) -> Tensor:
        """Boolean scalar (all gradients finite) -> the scale of the next step, a float32 scalar.

        The dynamic scale is halved on overflow and doubled after GROW_AFTER consecutive good steps.
        """
        if not self.dynamic:
            return self.scale
        good = ops.select(finite, self.good_steps + 1, ops.zeros_like(self.good_steps))
        grow = good >= GROW_AFTER
        factor = ops.select(finite, ops.select(grow, Tensor(2.0), Tensor(1.0)), Tensor(0.5))
        ops.assign(self.good_steps, ops.select(grow, ops.zeros_like(good), good))
        ops.assign(self.scale, ops.maximum(self.scale * factor, Tensor(1.0, ms.float32)))
        return self.scale
