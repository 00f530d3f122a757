"""What the log tells of a training step; each reading waits for the device."""

from __future__ import annotations

from mindspore import Parameter

from src.engine.train_step import TrainStep


class Readings:
    """Figures of the last step done."""

    def __init__(self, step: TrainStep):
        self._step = step

    def learning_rate(self) -> float:
        """Of that step, before factors of single layers."""
        optimizer = self._step.optimizer
        return optimizer.learning_rate_at(max(0, _number(optimizer.global_step) - 1))

    def num_skipped(self) -> int:
        """Steps without an update (overflow) since training began."""
        return _number(self._step.batches) // self._step.num_batches - _number(self._step.optimizer.global_step)

    def norms(self) -> dict[str, float]:
        """Norms by name, of the last update; empty when they are not kept."""
        return self._step.norms.read() if self._step.norms is not None else {}


def _number(parameter: Parameter) -> int:
    return int(parameter.asnumpy())
