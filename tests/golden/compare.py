"""Comparisons of a network with its golden fixture: each yields (what, difference, tolerance) lines."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import mindspore as ms
import numpy as np
from mindspore import Tensor, nn, ops

from src.models import LayerContext
from tests.golden import reader

context = LayerContext()  # of every compared network; `run` may put one with kernels in its place


@dataclass(frozen=True)
class Line:
    """One comparison; it holds when difference <= tolerance (a nan never does)."""

    what: str
    difference: float
    tolerance: float

    @property
    def holds(self) -> bool:
        return self.difference <= self.tolerance

    def __str__(self) -> str:
        return f"{'ok  ' if self.holds else 'FAIL'} {self.what}: {self.difference:.3g} (tolerance {self.tolerance:.3g})"


def absolute(what: str, ours, reference, tolerance: float) -> Line:
    """Largest absolute difference."""
    difference = np.abs(np.asarray(ours, np.float64) - np.asarray(reference, np.float64)).max()
    return Line(what, float(difference), tolerance)


def relative(what: str, ours, reference, tolerance: float) -> Line:
    """Largest absolute difference over the largest value of the reference."""
    scale = float(np.abs(np.asarray(reference, np.float64)).max())
    line = absolute(what, ours, reference, tolerance)
    return Line(what, line.difference / scale, tolerance)


def load_weights(network: nn.Cell, fixture: reader.Fixture, name_of: Callable[[str], str]) -> None:
    """Fill `network` by the rule and check that names, shapes and values are the reference's."""
    arrays = {}
    for name, parameter in network.parameters_and_names():
        if not reader.is_generated(name):
            continue
        reference = name_of(name)
        arrays[reference] = reader.weight(reference, parameter.shape, fixture.facts["seed"])
        parameter.set_data(Tensor(arrays[reference]))
    assert {name: array.shape for name, array in arrays.items()} == fixture.shapes
    assert reader.digest(arrays) == fixture.facts["weights_crc32"]


class SmoothedLoss(nn.Cell):
    """Mean cross entropy against 0.9 one-hot + 0.1 / classes."""

    def __init__(self, network: nn.Cell):
        super().__init__(auto_prefix=False)
        self.network = network

    def construct(self, images, labels):
        logits = self.network(images)
        log_p = ops.log_softmax(logits, -1)
        hit = ops.gather_d(log_p, 1, labels.expand_dims(1)).squeeze(1)
        return -(0.9 * hit + 0.1 * log_p.mean(-1)).mean(), logits


class Sgd(nn.Cell):
    """v = 0.9 v + g; w -= lr v; returns the loss before the step, the logits and the gradients.

    loss: a cell (images, labels) -> (loss, logits); None: the smoothed cross entropy.
    """

    def __init__(self, network: nn.Cell, rate: float, loss: nn.Cell | None = None):
        super().__init__(auto_prefix=False)
        self.optimizer = nn.Momentum(network.trainable_params(), rate, 0.9)
        loss = loss or SmoothedLoss(network)
        self.gradients = ops.value_and_grad(loss, None, self.optimizer.parameters, has_aux=True)

    def construct(self, images, labels):
        (loss, logits), gradients = self.gradients(images, labels)
        return ops.depend(loss, self.optimizer(gradients)), logits, gradients


@dataclass(frozen=True)
class Tolerances:
    """logits in evaluation, loss, gradient norms and slices, logits in training, running statistics."""

    logits: float
    loss: float
    grad_norm: float
    grad_slice: float
    train_logits: float = 1e-4
    moving: float = 1e-4


def compare_gradients(gradients: dict[str, np.ndarray], fixture: reader.Fixture, limits: Tolerances) -> Iterator[Line]:
    """Every parameter's gradient norm; 16 values of some. Norms that are noise are bound by 1e-4 of the largest."""
    norms = fixture.facts["train"]["grad_norms"]
    noise = 1e-4 * max(norms.values())
    assert gradients.keys() == norms.keys()
    for name, expected in norms.items():
        norm = float(np.linalg.norm(gradients[name].astype(np.float64)))
        if expected > noise:
            yield relative(f"gradient norm {name}", norm, expected, limits.grad_norm)
        else:
            yield absolute(f"gradient norm {name} (noise)", norm, expected, noise)
    for key, expected in fixture.arrays.items():
        name = key.removeprefix("grad.")
        if key.startswith("grad.") and norms[name] > noise:
            ours = reader.sample(gradients[name], 16)
            yield relative(f"gradient slice {name}", ours, expected, limits.grad_slice)


def compare_moving(network: nn.Cell, fixture: reader.Fixture, name_of, limits: Tolerances) -> Iterator[Line]:
    """Running statistics after one training forward pass, the first 32 channels."""
    ours = {name_of(name): parameter for name, parameter in network.parameters_and_names()}
    for key, expected in fixture.arrays.items():
        if key.startswith("bn_after_1_train_fwd."):
            name = key.removeprefix("bn_after_1_train_fwd.")
            yield relative(f"after one step: {name}", ours[name].asnumpy()[:32], expected, limits.moving)


def compare_training(
    network: nn.Cell,
    fixture: reader.Fixture,
    name_of: Callable[[str], str],
    limits: Tolerances,
    rate: float,
    recorded: list[float],
    tolerances: list[float],
) -> Iterator[Line]:
    """Loss, gradients and statistics of the first step, then the loss before each step of SGD.

    recorded: the losses at this learning rate; one step is taken for each of their (relative) tolerances.
    """
    load_weights(network, fixture, name_of)
    images, labels = Tensor(fixture.images), Tensor(fixture.labels)
    step = Sgd(network.set_train(True), rate)
    for number, tolerance in enumerate(tolerances):
        loss, logits, gradients = step(images, labels)
        yield relative(f"loss before step {number + 1}", loss.asnumpy(), recorded[number], tolerance)
        if number == 0:
            yield absolute("loss", loss.asnumpy(), fixture.facts["train"]["loss"], limits.loss)
            yield relative("training logits", logits.asnumpy(), fixture.arrays["train_logits"], limits.train_logits)
            names = [name_of(parameter.name) for parameter in step.optimizer.parameters]
            arrays = {name: g.asnumpy() for name, g in zip(names, gradients, strict=True)}
            yield from compare_gradients(arrays, fixture, limits)
            yield from compare_moving(network, fixture, name_of, limits)


def compare_stage(stage: str, ours: np.ndarray, fixture: reader.Fixture, tolerance: float) -> Iterator[Line]:
    """Shape, 64 values, and mean, deviation and largest value of one stage's output."""
    facts = fixture.facts["eval"]["stages"][stage]
    assert list(ours.shape) == facts["shape"]
    scale = facts["absmax"]
    yield absolute(f"{stage} slice", reader.sample(ours, 64), fixture.arrays[f"stage.{stage}.slice"], tolerance * scale)
    yield absolute(f"{stage} mean", ours.mean(dtype=np.float64), facts["mean"], tolerance * scale)
    deviation = ours.std(dtype=np.float64, ddof=1)
    yield absolute(f"{stage} std", deviation, facts["std"], tolerance * scale)
    yield absolute(f"{stage} absmax", np.abs(ours).max(), scale, tolerance * scale)


def eager() -> None:
    """Run what follows operator by operator, so that a test can look between the layers."""
    ms.set_context(mode=ms.PYNATIVE_MODE)


def compiled() -> None:
    """Run what follows as compiled graphs."""
    ms.set_context(mode=ms.GRAPH_MODE)
