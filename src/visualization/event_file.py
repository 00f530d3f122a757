"""Scalars for TensorBoard, by the one optional library of this project."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path


class EventFile:
    """A new events file in `folder`; TensorBoard reads all of a folder's files together.

    tensorboardX's plain writer: its SummaryWriter hands events to a thread, which a killed run takes along.

    Args:
        folder: where TensorBoard looks.
        first_step: what older files of the folder hold of this step and later ones is no longer shown (a resumed run).

    Raises:
        ImportError: tensorboardX is not installed.
    """

    def __init__(self, folder: Path, first_step: int):
        from tensorboardX.event_file_writer import EventsWriter
        from tensorboardX.proto import event_pb2, summary_pb2

        self._event, self._summary = event_pb2.Event, summary_pb2.Summary
        # Two runs of one second must not share a file.
        self._writer = EventsWriter(str(folder / "events"), f".{os.getpid()}")
        self._append(first_step, session_log=event_pb2.SessionLog(status=event_pb2.SessionLog.START))

    def write(self, step: int, values: Mapping[str, float]) -> None:
        """Append one value a tag; it is in the file at once."""
        scalars = [self._summary.Value(tag=tag, simple_value=value) for tag, value in values.items()]
        self._append(step, summary=self._summary(value=scalars))

    def _append(self, step: int, **content) -> None:
        self._writer.write_event(self._event(wall_time=time.time(), step=step, **content))
        self._writer.flush()
