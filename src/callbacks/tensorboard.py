"""TensorBoard events of a run, written with tensorboardX, the one optional library of this project."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from mindspore.train import Callback

from src.callbacks.order import Stage
from src.callbacks.progress import Progress

COST = "eval_seconds"  # the duration of an evaluation says nothing about the network


class EventFile:
    """A new events file in `folder`; TensorBoard reads all event files of a folder together.

    Uses tensorboardX's low-level writer: its SummaryWriter hands events to a thread, whose queue is lost when the run
    is killed.

    Args:
        folder: the folder that TensorBoard is pointed at.
        first_step: events of this step and later ones in older files of the folder are hidden (a resumed run).

    Raises:
        ImportError: tensorboardX is not installed.
    """

    def __init__(self, folder: Path, first_step: int):
        from tensorboardX.event_file_writer import EventsWriter
        from tensorboardX.proto import event_pb2, summary_pb2

        self._event, self._summary = event_pb2.Event, summary_pb2.Summary
        # The process id keeps two runs that start within one second apart.
        self._writer = EventsWriter(str(folder / "events"), f".{os.getpid()}")
        self._append(first_step, session_log=event_pb2.SessionLog(status=event_pb2.SessionLog.START))

    def write(self, step: int, values: Mapping[str, float]) -> None:
        """Append {tag: value} and flush."""
        scalars = [self._summary.Value(tag=tag, simple_value=value) for tag, value in values.items()]
        self._append(step, summary=self._summary(value=scalars))

    def _append(self, step: int, **content) -> None:
        self._writer.write_event(self._event(wall_time=time.time(), step=step, **content))
        self._writer.flush()


class WriteScalars(Callback):
    """Writes loss, learning rate and norms with each reading of the loss; speed and evaluation after each epoch.

    Args:
        write: takes the step and {tag: value}.
        learning_rate: the learning rate of the last completed step.
        norms: {name: norm} of the last step; empty when norms are not logged.
    """

    stage = Stage.LOG

    def __init__(
        self,
        progress: Progress,
        write: Callable[[int, Mapping[str, float]], None],
        learning_rate: Callable[[], float],
        norms: Callable[[], dict[str, float]],
    ):
        super().__init__()
        self._progress, self._write = progress, write
        self._learning_rate, self._norms = learning_rate, norms

    def on_train_step_end(self, run_context) -> None:
        progress = self._progress
        if progress.loss_is_fresh:
            self._write(progress.step, {"loss": progress.loss, "lr": self._learning_rate(), **self._norms()})

    def on_train_epoch_end(self, run_context) -> None:
        progress = self._progress
        if progress.at_epoch_end:
            evaluated = {name: value for name, value in progress.evaluation.items() if name != COST}
            self._write(progress.step, {"images_per_second": progress.images_per_second, **evaluated})


def tensorboard_callbacks(
    folder: Path,
    progress: Progress,
    learning_rate: Callable[[], float],
    norms: Callable[[], dict[str, float]],
    logger: logging.Logger,
) -> list[WriteScalars]:
    """The callback that writes events into `folder` from the next step on; none without tensorboardX (logged)."""
    try:
        events = EventFile(folder, progress.step + 1)
    except ImportError:
        logger.warning(
            "tensorboard: no events are written because tensorboardX is not installed: pip install tensorboardX, "
            "or give --tensorboard 0"
        )
        return []
    return [WriteScalars(progress, events.write, learning_rate, norms)]
