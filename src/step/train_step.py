"""One training step as one cell: forward, backward, all-reduce, centralisation, clipping, optimizer, averages.

Parts that a run does not use are not in the graph. The step owns the batch counter that keys dropout. With gradient
accumulation a step is given the images of all its batches: it is one update, of which nothing half-done can be saved.
"""

from __future__ import annotations

import mindspore as ms
from mindspore import Parameter, Tensor, nn, ops

from src.step.accumulation import Accumulator
from src.step.ema import WeightAverage
from src.step.gradients import AllFinite, AllReduceMean, Centralize, ClipGlobalNorm, Unscale
from src.step.loss_scale import LossScale
from src.step.norms import Norms


class _ForwardLoss(nn.Cell):
    """(input, *targets) -> loss"""

    def __init__(self, network: nn.Cell, loss: nn.Cell):
        super().__init__(auto_prefix=False)
        self.network, self.loss = network, loss

    def construct(self, inputs: Tensor, *targets: Tensor) -> Tensor:
        return self.loss(self.network(inputs), *targets)


class _ScaledForwardLoss(_ForwardLoss):
    """(scale, input, *targets) -> (scaled loss, loss)"""

    def construct(self, scale: Tensor, inputs: Tensor, *targets: Tensor) -> tuple[Tensor, Tensor]:
        loss = self.loss(self.network(inputs), *targets)
        return loss * scale, loss


class TrainStep(nn.Cell):
    """The float32 step over a batch: the network's input, (B, ...), and any number of targets, each (B, ...).

    Args:
        network: in training mode.
        loss: (the network's output, *targets) -> scalar.
        optimizer: updates its `parameters` from a tuple of gradients.
        num_ranks: processes that train together.
        clip_norm: largest global norm of the gradients; 0: no clipping.
        centralize: gradient centralisation.
        ema_decay: decay of the averaged weights; 0: none.
        num_batches: parts that the images of a step go through the network in, one after the other.
        log_norms: keep the norms of gradients, weights and update in `norms`.
    """

    def __init__(
        self,
        network: nn.Cell,
        loss: nn.Cell,
        optimizer: nn.Cell,
        *,
        num_ranks: int = 1,
        clip_norm: float = 0.0,
        centralize: bool = False,
        ema_decay: float = 0.0,
        num_batches: int = 1,
        log_norms: bool = False,
    ):
        # With prefixes the weights would be renamed, and every checkpoint would have foreign names.
        super().__init__(auto_prefix=False)
        self.network = network
        self.optimizer = optimizer
        self.batches = Parameter(Tensor(0, ms.int32), name="batches", requires_grad=False)
        self.all_reduce = AllReduceMean(optimizer.parameters, num_ranks) if num_ranks > 1 else None
        parts = ([Centralize()] if centralize else []) + ([ClipGlobalNorm(clip_norm)] if clip_norm > 0 else [])
        self.shape_gradients = nn.SequentialCell(parts) if parts else None
        self.average = WeightAverage(optimizer.parameters, ema_decay) if ema_decay > 0 else None
        self.norms = Norms(optimizer.parameters) if log_norms else None
        self.loss_scale = None
        self.num_batches = num_batches
        self.accumulator = Accumulator(optimizer.parameters, num_batches) if num_batches > 1 else None
        self._make_gradient_function(network, loss)

    def _make_gradient_function(self, network: nn.Cell, loss: nn.Cell) -> None:
        self.value_and_grad = ms.value_and_grad(_ForwardLoss(network, loss), None, self.optimizer.parameters)

    def construct(self, *batch: Tensor) -> Tensor:
        """Train on the samples of a step; returns their loss (the mean over all ranks)."""
        loss, gradients = self.mean_gradients(*batch)
        if self.all_reduce is not None:
            loss, gradients = self.all_reduce(loss, gradients)
        return ops.depend(loss, self.update(gradients))

    def backward(self, *batch: Tensor):
        """One batch -> (loss, gradients)."""
        return self.value_and_grad(*batch)

    def mean_gradients(self, *batch: Tensor):
        """All batches of the step -> the means of loss and gradients over them; counts the batches."""
        if self.num_batches == 1:
            loss, gradients = self.backward(*batch)
            return ops.depend(loss, ops.assign_add(self.batches, 1)), gradients
        batches = self.parts(batch)
        self.accumulator.reset()
        index = Tensor(0, ms.int32)
        # A loop of the graph: the network is compiled once, and one batch's activations are in memory at a time.
        while index < self.num_batches:
            self.accumulator.add(*self.backward(*self.part(batches, index)))
            ops.assign_add(self.batches, 1)
            index = index + 1
        return self.accumulator.means()

    def parts(self, batch: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """Each (num_batches * B, ...) -> (num_batches, B, ...)"""
        parts = ()
        for tensor in batch:
            parts = parts + (tensor.reshape((self.num_batches, -1, *tensor.shape[1:])),)
        return parts

    def part(self, batches: tuple[Tensor, ...], index: Tensor) -> tuple[Tensor, ...]:
        """Each (num_batches, B, ...) -> (B, ...), the one with this number."""
        part = ()
        for tensor in batches:
            part = part + (ops.gather(tensor, index, 0),)
        return part

    def update(self, gradients: tuple[Tensor, ...]):
        """Centralise, clip, move the weights, move their averages."""
        raw_gradients = gradients
        if self.norms is not None:
            self.norms.remember()
        if self.shape_gradients is not None:
            gradients = self.shape_gradients(gradients)
        updated = self.optimizer(gradients)
        if self.norms is not None:
            updated = ops.depend(self.norms(raw_gradients), updated)
        if self.average is not None:
            updated = ops.depend(self.average(ops.depend(self.optimizer.global_step, updated)), updated)
        return updated

    def state(self) -> dict[str, Parameter]:
        """What a resumed run needs besides the weights, by the names that checkpoints use."""
        parameters = {f"optimizer.{parameter.name}": parameter for parameter in self.optimizer.state()}
        if self.average is not None:
            parameters |= {average.name: average for average in self.average.averages}
        if self.loss_scale is not None:
            parameters |= {f"state.{parameter.name}": parameter for parameter in self.loss_scale.get_parameters()}
        return parameters | {"state.batches": self.batches}

    # -- host-side values for the log; each read synchronises with the device

    def learning_rate(self) -> float:
        """Of the last step, before factors of single layers."""
        return self.optimizer.learning_rate_at(max(0, _number(self.optimizer.global_step) - 1))

    def num_skipped(self) -> int:
        """Steps without an update (overflow) since training began."""
        return _number(self.batches) // self.num_batches - _number(self.optimizer.global_step)

    def last_norms(self) -> dict[str, float]:
        """Norms by name, of the last update; empty when they are not kept."""
        return self.norms.read() if self.norms is not None else {}


class ScaledTrainStep(TrainStep):
    """The step with a loss scale: on overflow weights, moments, averages and learning rate stay as they are."""

    def __init__(self, network: nn.Cell, loss: nn.Cell, optimizer: nn.Cell, loss_scale: LossScale, **options):
        super().__init__(network, loss, optimizer, **options)
        self.loss_scale = loss_scale
        self.unscale = Unscale()
        self.all_finite = AllFinite()

    def _make_gradient_function(self, network: nn.Cell, loss: nn.Cell) -> None:
        forward = _ScaledForwardLoss(network, loss)
        self.value_and_grad = ms.value_and_grad(forward, None, self.optimizer.parameters, has_aux=True)

    def backward(self, *batch: Tensor):
        """One batch -> (loss, gradients of the scaled loss)."""
        (_, loss), gradients = self.value_and_grad(self.loss_scale.scale, *batch)
        return loss, gradients

    def construct(self, *batch: Tensor) -> Tensor:
        """Train on the samples of a step; returns their loss (the mean over all ranks), without the scale."""
        loss, gradients = self.mean_gradients(*batch)
        gradients = self.unscale(self.loss_scale.scale, gradients)
        if self.all_reduce is not None:
            # An infinity or a NaN of one rank is in every rank's mean: all ranks skip together.
            loss, gradients = self.all_reduce(loss, gradients)
        finite = self.all_finite(gradients)
        if finite:
            loss = ops.depend(loss, self.update(gradients))
        return ops.depend(loss, self.loss_scale(finite))


def _number(parameter: Parameter) -> int:
    return int(parameter.asnumpy())
