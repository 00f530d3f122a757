"""Comparison of an exported file with its network, which runs operator by operator in standard precision.

A network that selects neighbours is discontinuous: where two are nearly equally far, rounding decides, and every later
layer differs. So the network is run with the choices of the file. Then all numbers must agree closely, and the file's
choices must be as good as the network's own, layer by layer, up to rounding. The weights must be equal bit for bit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import mindspore as ms
import numpy as np
from mindspore import nn

from src.runtime.device import eagerly

from .exported_file import Choices, ExportedFile, Outputs, arrays_of

# Allowed difference of an output, or of the value of a choice, relative to the largest one: `rounding` of the file,
# or this multiple of the change that rounding the input causes in the network itself, all choices being equal.
SENSITIVITY_FACTOR = 3.0
ROUNDING = 1e-6


class ExportMismatch(Exception):
    """An exported file computes something else than its network."""


@dataclass(frozen=True)
class Comparison:
    """Largest absolute difference over all outputs on one input, the largest allowed one, and the worst choice's loss.

    A loss is how much worse than the best a choice is, relative to the largest value that it is made from.
    """

    difference: float
    allowed: float
    loss: float


@dataclass(frozen=True)
class _Run:
    """Outputs of the network for given choices, the losses of these, and the values from which they were made."""

    outputs: Outputs
    losses: list[float]
    values: list[np.ndarray]


class Reference:
    """The network to which exported files are compared.

    Args:
        network: (B, 3, H, W) float32 -> its outputs; it stays as it is.
    """

    def __init__(self, network: nn.Cell):
        self._network = network
        self._selecting = [cell for _, cell in network.cells_and_names() if hasattr(cell, "top_k")]
        self._limits: tuple[list[float], list[float]] | None = None

    def compare(self, file: ExportedFile, inputs: Mapping[str, np.ndarray], path: Path) -> dict[str, Comparison]:
        """{name: comparison} of the file of `path` on each input, (B, 3, H, W) float32.

        Raises:
            ExportMismatch: a weight differs, an output differs by more than is allowed, or a choice is worse.
        """
        self._compare_weights(file.weights, path)
        return {name: self._compare(file, value, f"{path}: on {name} input") for name, value in inputs.items()}

    def _compare_weights(self, weights: Mapping[str, np.ndarray], path: Path) -> None:
        for name, parameter in self._network.parameters_dict().items():
            if name in weights and not np.array_equal(weights[name], parameter.asnumpy(), equal_nan=True):
                raise _mismatch(f"{path}:", f"{name} differs from the network's")

    def _compare(self, file: ExportedFile, value: np.ndarray, place: str) -> Comparison:
        found, choices = file.run(value)
        if len(choices) != len(self._selecting):
            raise _mismatch(place, f"it makes {len(choices)} choices, the network {len(self._selecting)}")
        run = self._run(value, choices)
        if self._limits is None:  # the network's own; the first input is as good as the others
            self._limits = self._measured_limits(run, value, choices)
        output_limits, choice_limits = ([max(file.rounding, limit) for limit in limits] for limits in self._limits)
        for number, (loss, limit) in enumerate(zip(run.losses, choice_limits, strict=True), start=1):
            if not loss <= limit:
                worse = f"choice {number} of {len(choices)} is worse than the best by {loss:.2e} of the largest value"
                raise _mismatch(place, f"{worse} (allowed {limit:.2e})")
        differences = _largest(found, run.outputs)
        allowed = [limit * _size(output) for limit, output in zip(output_limits, run.outputs, strict=True)]
        for number, (difference, limit) in enumerate(zip(differences, allowed, strict=True)):
            if not difference <= limit:
                output = f" in output {number}" if len(found) > 1 else ""
                raise _mismatch(place, f"it differs from the network by {difference:.2e}{output} (allowed {limit:.2e})")
        return Comparison(max(differences), max(allowed), max(run.losses, default=0.0))

    def _measured_limits(self, run: _Run, value: np.ndarray, choices: Choices) -> tuple[list[float], list[float]]:
        """Allowed differences of the outputs and losses of the choices, each relative to the largest value."""
        nudged = [self._run(value * np.float32(1 + sign * ROUNDING), choices) for sign in (-1, 1)]
        outputs = [_limit(run.outputs[i], [other.outputs[i] for other in nudged]) for i in range(len(run.outputs))]
        losses = [_limit(run.values[i], [other.values[i] for other in nudged]) for i in range(len(run.values))]
        return outputs, losses

    def _run(self, value: np.ndarray, choices: Choices) -> _Run:
        own = [cell.top_k for cell in self._selecting]
        given = [_GivenChoice(choice) for choice in choices]
        try:
            _set_top_k(self._selecting, given)
            with eagerly():
                outputs = arrays_of(self._network(ms.Tensor(value)))
        finally:
            _set_top_k(self._selecting, own)
        return _Run(outputs, [cell.loss for cell in given], [cell.values for cell in given])


class _GivenChoice(nn.Cell):
    """TopK that returns given indices.

    Attributes:
        values: the values of the last call.
        loss: largest difference between the chosen value and the best one of the same rank, relative to the largest.
    """

    def __init__(self, indices: np.ndarray):
        super().__init__()
        self.indices = indices
        self.values, self.loss = None, 0.0

    def construct(self, values, num_chosen):
        self.values = values.asnumpy()
        best = -np.sort(-self.values, -1)[..., :num_chosen]
        chosen = np.take_along_axis(self.values, self.indices.astype(np.int64), -1)
        self.loss = float(np.abs(best - chosen).max()) / _size(self.values)
        return ms.Tensor(chosen), ms.Tensor(self.indices.astype(np.int32))


def _set_top_k(cells: list[nn.Cell], selections: list) -> None:
    for cell, selection in zip(cells, selections, strict=True):
        cell.top_k = selection


def _limit(value: np.ndarray, nudged: list[np.ndarray]) -> float:
    """Difference from a value that its sensitivity allows, relative to its largest element."""
    sensitivity = max(float(np.abs(other - value).max()) for other in nudged) / _size(value)
    return SENSITIVITY_FACTOR * sensitivity


def _size(value: np.ndarray) -> float:
    return float(np.abs(value).max()) or 1.0


def _largest(found: Outputs, expected: Outputs) -> list[float]:
    """The largest difference of each output."""
    return [float(np.abs(one - other).max()) for one, other in zip(found, expected, strict=True)]


def _mismatch(place: str, finding: str) -> ExportMismatch:
    return ExportMismatch(f"{place} {finding}: the file is not kept")
