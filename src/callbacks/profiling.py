"""Profile of a few steps: time waiting for data, computing and in callbacks, and time per operator."""

from __future__ import annotations

import csv
import logging
import time
from pathlib import Path

import mindspore as ms
from mindspore.train import Callback

from src.callbacks.order import Stage

SKIPPED_STEPS = 2  # the first step compiles, the second still allocates memory
PROFILED_STEPS = 5
SHOWN_OPERATORS = 12


class ProfileSteps(Callback):
    """Profiles a few steps with the framework's profiler.

    Attributes:
        closing: callback to register as well; it marks the end of all other callbacks.

    Args:
        folder: for the profiler's own files and the readable summary, summary.txt.
    """

    stage = Stage.PROFILE

    def __init__(self, folder: Path, logger: logging.Logger):
        super().__init__()
        self._folder, self._logger = folder, logger
        self._num_steps = 0
        self._profiler = None
        self._waits: list[float] = []
        self._computations: list[float] = []
        self._callbacks: list[float] = []
        self._moment = 0.0
        self.closing = _Closing(self)

    def on_train_step_begin(self, run_context) -> None:
        if self._profiler is not None:
            self._waits.append(self.seconds())

    def on_train_step_end(self, run_context) -> None:
        self._num_steps += 1
        if self._profiler is not None:
            # Synchronise with the device: otherwise computing time would be counted as waiting for data.
            run_context.original_args().net_outputs.asnumpy()
            self._computations.append(self.seconds())
            self._profiler.step()
        if self._num_steps == SKIPPED_STEPS:
            self._start()
        if len(self._computations) == PROFILED_STEPS:
            self._finish()

    def on_train_end(self, run_context) -> None:
        if self._profiler is not None:
            self._finish()

    def after_callbacks(self) -> None:
        """Record the time of the callbacks, after a step or an epoch."""
        if self._profiler is not None:
            self._callbacks.append(self.seconds())

    def seconds(self) -> float:
        """Seconds since the last call."""
        before, self._moment = self._moment, time.perf_counter()
        return self._moment - before

    def _start(self) -> None:
        profiler = ms.profiler
        self._profiler = profiler.profile(
            schedule=profiler.schedule(wait=0, warmup=0, active=PROFILED_STEPS, repeat=1),
            on_trace_ready=profiler.tensorboard_trace_handler(str(self._folder)),
        )
        self._profiler.start()
        self.seconds()

    def _finish(self) -> None:
        self._profiler.stop()
        self._profiler = None
        if not self._computations:
            return
        text = profile_text(self._waits, self._computations, self._callbacks, operator_times(self._folder))
        self._computations = []
        (self._folder / "summary.txt").write_text(text, encoding="utf-8")
        for line in text.splitlines():
            self._logger.info(line)
        self._logger.info("see %s; the trace beside it opens in a trace viewer", self._folder / "summary.txt")


class _Closing(Callback):
    """Tells the profile that the other callbacks have finished."""

    stage = Stage.END_PROFILE

    def __init__(self, profile: ProfileSteps):
        super().__init__()
        self._profile = profile

    def on_train_step_end(self, run_context) -> None:
        self._profile.after_callbacks()

    def on_train_epoch_end(self, run_context) -> None:
        self._profile.after_callbacks()


def operator_times(folder: Path) -> list[tuple[str, int, float]]:
    """(operator, executions, milliseconds) over all profiled steps, longest first; [] if no table was written."""
    totals: dict[str, tuple[int, float]] = {}
    for table in folder.rglob("cpu_op_type_info_*.csv"):
        with table.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                totals[row["op_type"]] = (int(row["type_occurrences"]), float(row["total_compute_time"]))
    rows = [(name, count, milliseconds) for name, (count, milliseconds) in totals.items()]
    return sorted(rows, key=lambda row: -row[2])


def profile_text(
    waits: list[float], computations: list[float], callbacks: list[float], operators: list[tuple[str, int, float]]
) -> str:
    """Summary of a profile.

    Args:
        waits, computations, callbacks: seconds of the three parts of each step.
        operators: see `operator_times`.
    """
    steps = len(computations)
    parts = [1e3 * sum(seconds) / steps for seconds in (waits, computations, callbacks)]
    shares = [f"{part:.1f} ms ({part / sum(parts):.0%})" for part in parts]
    lines = [
        f"profile of {steps} steps: {sum(parts):.1f} ms per step: {shares[0]} waiting for data, {shares[1]} computing, "
        f"{shares[2]} in callbacks (log, evaluation, checkpoints)",
    ]
    total = sum(milliseconds for _, _, milliseconds in operators)
    if not operators:
        return f"{lines[0]}\n"
    lines.append(f"{'operator':<32} {'calls':>7} {'ms/step':>10} {'share':>6}")
    for name, count, milliseconds in operators[:SHOWN_OPERATORS]:
        lines.append(f"{name:<32} {count / steps:>7g} {milliseconds / steps:>10.2f} {milliseconds / total:>6.1%}")
    if len(operators) > SHOWN_OPERATORS:
        rest = sum(milliseconds for _, _, milliseconds in operators[SHOWN_OPERATORS:])
        name = f"{len(operators) - SHOWN_OPERATORS} others"
        lines.append(f"{name:<32} {'':>7} {rest / steps:>10.2f} {rest / total:>6.1%}")
    return "\n".join(lines) + "\n"
