"""Base of the optimizers: parameters, their weight decays, the step counter and the learning-rate table."""

from collections.abc import Sequence

import mindspore as ms
import numpy as np
from mindspore import Parameter, ParameterTuple, Tensor, nn, ops
from mindspore.common.initializer import initializer


class Optimizer(nn.Cell):
    """Base of the optimizers: called with a tuple of gradients in the order of `parameters`.

    The learning rates are a constant table (one float32 per step) on the device, indexed there by `global_step`, the
    number of calls so far: no step waits for the host, and beyond the end of the table its last rate is used. The table
    is not part of the state, since a resumed run may be planned for more epochs; the framework's own base class would
    make it a saved parameter.

    Args:
        parameters: the trained parameters.
        weight_decays: one per parameter.
        rate_scales: factors of the learning rate, one per parameter.
        learning_rates: one per step.
    """

    def __init__(
        self,
        parameters: Sequence[Parameter],
        weight_decays: Sequence[float],
        rate_scales: Sequence[float],
        learning_rates: np.ndarray | Sequence[float],
    ):
        # The weights keep their names in the network.
        super().__init__(auto_prefix=False)
        self.parameters = ParameterTuple(parameters)
        self.weight_decays = tuple(weight_decays)
        self.rate_scales = tuple(rate_scales)
        self.host_learning_rates = np.asarray(learning_rates, np.float32)
        self.learning_rates = Tensor(self.host_learning_rates)
        self.last_index = len(self.host_learning_rates) - 1
        self.global_step = Parameter(Tensor(0, ms.int32), name="global_step", requires_grad=False)
        self.for_each_parameter = ops.HyperMap()

    def zeros_for_each_parameter(self, prefix: str) -> ParameterTuple:
        """Float32 state of the parameters' shapes, named `<prefix>.<parameter name>`."""
        return ParameterTuple(
            Parameter(initializer("zeros", weight.shape, ms.float32), f"{prefix}.{weight.name}", False)
            for weight in self.parameters
        )

    def next_learning_rate(self) -> Tensor:
        """The rate of this step, a float32 scalar on the device; increments `global_step`."""
        rate = ops.gather(self.learning_rates, ops.minimum(self.global_step, self.last_index), 0)
        ops.assign_add(self.global_step, 1)
        return rate

    def learning_rate_at(self, step: int) -> float:
        """The rate used by call number `step`, counted from 0; read on the host, for logging."""
        return float(self.host_learning_rates[min(step, self.last_index)])

    def state(self) -> list[Parameter]:
        """The state that a checkpoint must contain besides the weights: the step counter and the moments."""
        weights = {weight.name for weight in self.parameters}
        return [parameter for parameter in self.get_parameters() if parameter.name not in weights]
