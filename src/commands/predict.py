"""The prediction command: a table, CSV, JSON and one annotated picture."""

from __future__ import annotations

import csv
import io
import json
import logging
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from tqdm import tqdm

from src.commands.predict_scenes import predict_scenes
from src.commands.show_graph import GraphViewer
from src.commands.trained import Loaded, trained_model
from src.config import Resolved
from src.datasets.sources.image_folder import find_pictures
from src.runtime.files import write_atomically
from src.runtime.logs import get_logger
from src.runtime.run_folder import distinct_names, fresh_folder
from src.runtime.session import start
from src.runtime.terminal import progress_shown
from src.tasks.segmentation.task import SegmentationTask
from src.visualization import Prediction, prediction_grid

SHOWN_ROWS = 20
GRID_ITEMS = 36


def predict(resolved: Resolved) -> int:
    """Predict the pictures of `input` with `pretrained`; returns the exit code."""
    files = find_pictures(resolved.config.output.input)
    loaded = Loaded.from_config(resolved)
    if isinstance(loaded.task, SegmentationTask):
        return predict_scenes(loaded, files, resolved.notes)
    session = start(loaded.config, resolved.notes)
    logger = get_logger()
    model = trained_model(loaded, session)
    logger.info("load model %s success", loaded.checkpoint.path)
    config = loaded.config
    viewer = GraphViewer(model, config.model.backbone, config.output.nodes) if config.output.show_graph else None
    if config.output.nodes and viewer is None:
        logger.warning("nodes has no effect without --show_graph 1")
    bar = partial(tqdm, leave=False, disable=not progress_shown())
    predictions = model.predict(files, config.output.top_k, partial(bar, desc="predicting", unit="batch"))
    for line in table_lines(predictions):
        logger.info(line)
    folder = fresh_folder(Path(config.output.output or "predictions"))
    _write(predictions, folder, logger)
    if viewer:
        shown = _spread(predictions)
        _draw_graphs(viewer, shown, folder / "graphs", bar)
        logger.info("see the graphs of %d pictures in %s", len(shown), folder / "graphs")
    return 0


def table_lines(predictions: list[Prediction]) -> list[str]:
    """One line a picture: file, best class with its probability, runners-up."""
    width = max(len(Path(item.path).name) for item in predictions)
    lines = []
    for item in predictions[:SHOWN_ROWS]:
        ranked = [f"{label} {share:.1%}" for label, share in zip(item.labels, item.probabilities, strict=True)]
        truth = "" if item.truth is None else f"   (is {item.truth})"
        lines.append(f"{Path(item.path).name:<{width}}  {ranked[0]:<16}  {', '.join(ranked[1:3])}{truth}")
    if len(predictions) > SHOWN_ROWS:
        lines.append(f"... and {len(predictions) - SHOWN_ROWS} more in the files below")
    return lines


def _spread(predictions: list[Prediction]) -> list[Prediction]:
    """At most GRID_ITEMS of them, evenly chosen, so that a folder's later classes are seen too."""
    chosen = np.linspace(0, len(predictions) - 1, min(GRID_ITEMS, len(predictions)))
    return [predictions[index] for index in np.round(chosen).astype(int)]


def _draw_graphs(viewer: GraphViewer, predictions: list[Prediction], folder: Path, bar: Callable) -> None:
    """A sheet a picture, named after it."""
    names = distinct_names(Path(item.path) for item in predictions)
    for name, item in zip(names, bar(predictions, desc="drawing", unit="picture"), strict=True):
        viewer.draw(item.path, folder / f"{name}.png", f": {item.labels[0]} ({item.probabilities[0]:.1%})")


def _write(predictions: list[Prediction], folder: Path, logger: logging.Logger) -> None:
    records = [
        {"file": item.path, "truth": item.truth, "labels": item.labels, "probabilities": item.probabilities}
        for item in predictions
    ]
    write_atomically(folder / "predictions.json", json.dumps(records, indent=2, ensure_ascii=False).encode())
    table = io.StringIO()
    writer = csv.writer(table)
    writer.writerow(["file", "truth", "rank", "label", "probability"])
    for item in predictions:
        for rank, (label, share) in enumerate(zip(item.labels, item.probabilities, strict=True), start=1):
            writer.writerow([item.path, item.truth or "", rank, label, f"{share:.6f}"])
    write_atomically(folder / "predictions.csv", table.getvalue().encode())
    prediction_grid(_spread(predictions), folder / "predictions.png")
    logger.info("see %s, predictions.csv and predictions.json beside it", folder / "predictions.png")
