"""A run's figures for TensorBoard."""

from __future__ import annotations

import logging
from pathlib import Path

from src.callbacks.progress import Progress
from src.callbacks.scalars import WriteScalars
from src.step.train_step import TrainStep
from src.visualization import EventFile


def event_log(folder: Path, progress: Progress, step: TrainStep, logger: logging.Logger) -> list[WriteScalars]:
    """The callback that writes events from the next step on into `folder`; none where the library is absent."""
    try:
        events = EventFile(folder, progress.step + 1)
    except ImportError:
        logger.warning(
            "tensorboard: no events are written, since tensorboardX is not installed: pip install tensorboardX, "
            "or give --tensorboard 0"
        )
        return []
    return [WriteScalars(progress, events.write, step.learning_rate, step.last_norms)]
