"""Training step as one cell: forward, backward, all-reduce, centralisation, clipping, optimizer, weight averages.

The graph contains only the parts that a run uses. The step owns the batch counter that keys dropout. With gradient
accumulation a step receives the images of all its batches: a checkpoint never falls between two of them.
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
    """Forward pass and loss."""

    def __init__(self, network: nn.Cell, loss: nn.Cell):
        super().__init__(auto_prefix=False)
        self.network, self.loss = network, loss

    def construct(self, inputs: Tensor, *targets: Tensor) -> Tensor:
        """Network input (B, 3, H, W) and targets, each (B, ...) -> scalar loss."""
        return self.loss(self.network(inputs), *targets)


class _ScaledForwardLoss(_ForwardLoss):
    """Forward pass and scaled loss."""

    def construct(self, scale: Tensor, inputs: Tensor, *targets: Tensor) -> tuple[Tensor, Tensor]:
        """Scalar scale, network input (B, 3, H, W), targets, each (B, ...) -> (scaled loss, loss), scalars."""
        loss = self.loss(self.network(inputs), *targets)
        return loss * scale, loss


class TrainStep(nn.Cell):
    """The step without a loss scale, called with the network's input and any number of targets.

    Args:
        network: in training mode.
        loss: (the network's output, *targets) -> scalar.
        optimizer: updates its `parameters` from a tuple of gradients.
        num_ranks: number of processes in the group.
        clip_norm: largest global L2 norm of the gradients; 0: no clipping.
        centralize: gradient centralisation.
        ema_decay: decay of the averaged weights per update; 0: no averages.
        num_batches: batches per step, whose gradients are accumulated.
        log_norms: compute the norms of gradients, weights and update.
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
        # A prefix would rename the weights in every checkpoint.
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
        """Train on the samples of one step.

        Args:
            batch: the network's input (num_batches * B, 3, H, W) and the loss's targets, each (num_batches * B, ...).

        Returns:
            The loss, a float32 scalar: the mean over batches and ranks.
        """
        loss, gradients = self.mean_gradients(*batch)
        if self.all_reduce is not None:
            loss, gradients = self.all_reduce(loss, gradients)
        return ops.depend(loss, self.update(gradients))

    def backward(self, *batch: Tensor):
        """Input and targets of one batch, each (B, ...) -> (scalar loss, gradients in the shapes of the weights)."""
        return self.value_and_grad(*batch)

    def mean_gradients(self, *batch: Tensor):
        """All batches of the step, (num_batches * B, ...) -> mean loss and gradients; counts the batches."""
        if self.num_batches == 1:
            loss, gradients = self.backward(*batch)
            return ops.depend(loss, ops.assign_add(self.batches, 1)), gradients
        batches = self.parts(batch)
        self.accumulator.reset()
        index = Tensor(0, ms.int32)
        # A loop inside the graph: the network is compiled once, with the activations of one batch in memory at a time.
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
        """The batch number `index`: each (num_batches, B, ...) -> (B, ...)."""
        part = ()
        for tensor in batches:
            part = part + (ops.gather(tensor, index, 0),)
        return part

    def update(self, gradients: tuple[Tensor, ...]):
        """Centralise and clip the gradients, then update the weights and their averages."""
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
        """Training state besides the weights, keyed by its names in checkpoints."""
        parameters = {f"optimizer.{parameter.name}": parameter for parameter in self.optimizer.state()}
        if self.average is not None:
            parameters |= {average.name: average for average in self.average.averages}
        if self.loss_scale is not None:
            parameters |= {f"state.{parameter.name}": parameter for parameter in self.loss_scale.get_parameters()}
        return parameters | {"state.batches": self.batches}

    # -- host-side values for the log; each read synchronises with the device

    def learning_rate(self) -> float:
        """Learning rate of the last step, before layer-wise factors."""
        return self.optimizer.learning_rate_at(max(0, _number(self.optimizer.global_step) - 1))

    def num_skipped(self) -> int:
        """Steps skipped on overflow since training began."""
        return _number(self.batches) // self.num_batches - _number(self.optimizer.global_step)

    def last_norms(self) -> dict[str, float]:
        """{name: norm} of the last step; empty without log_norms."""
        return self.norms.read() if self.norms is not None else {}


class ScaledTrainStep(TrainStep):
    """The step with a loss scale: an overflow leaves weights, moments, averages and learning rate unchanged."""

    def __init__(self, network: nn.Cell, loss: nn.Cell, optimizer: nn.Cell, loss_scale: LossScale, **options):
        super().__init__(network, loss, optimizer, **options)
        self.loss_scale = loss_scale
        self.unscale = Unscale()
        self.all_finite = AllFinite()

    def _make_gradient_function(self, network: nn.Cell, loss: nn.Cell) -> None:
        forward = _ScaledForwardLoss(network, loss)
        self.value_and_grad = ms.value_and_grad(forward, None, self.optimizer.parameters, has_aux=True)

    def backward(self, *batch: Tensor):
        """Input and targets of one batch, each (B, ...) -> (scalar loss, gradients of the scaled loss)."""
        (_, loss), gradients = self.value_and_grad(self.loss_scale.scale, *batch)
        return loss, gradients

    def construct(self, *batch: Tensor) -> Tensor:
        """Train on the samples of one step, see `TrainStep.construct`; the returned loss is not scaled."""
        loss, gradients = self.mean_gradients(*batch)
        gradients = self.unscale(self.loss_scale.scale, gradients)
        if self.all_reduce is not None:
            # An infinity or NaN of one rank reaches the mean of every rank, so all ranks skip the step together.
            loss, gradients = self.all_reduce(loss, gradients)
        finite = self.all_finite(gradients)
        if finite:
            loss = ops.depend(loss, self.update(gradients))
        return ops.depend(loss, self.loss_scale(finite))


def _number(parameter: Parameter) -> int:
    return int(parameter.asnumpy())
