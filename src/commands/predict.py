"""Prediction command: a checkpoint on image files."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from src.commands.opened_checkpoint import OpenedCheckpoint
from src.config import Resolved
from src.datasets.sources.picture_files import find_pictures
from src.runtime.logs import get_logger
from src.runtime.run_folder import fresh_results
from src.runtime.session import start


def predict(resolved: Resolved) -> int:
    """Predict the images of `input` with `pretrained`; returns the exit code.

    Raises:
        UserError: the checkpoint or an image is missing or unreadable.
    """
    files = find_pictures(resolved.config.output.input)
    opened = OpenedCheckpoint.from_config(resolved)
    config = opened.config
    session = start(config, opened.notes)
    network = opened.network(session)
    get_logger().info("load model %s success", opened.checkpoint.path)
    with ExitStack() as results:
        place = Path(config.output.output or "predictions")
        opened.task.predict(network, files, lambda: results.enter_context(fresh_results(place)))
    return 0
