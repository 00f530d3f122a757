"""The prediction command for segmentation: coloured maps and overlays."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

from src.commands.trained import Loaded
from src.datasets.sources.cityscapes_classes import CLASS_NAMES, PALETTE
from src.inference.networks import with_mixed_precision
from src.runtime.files import write_atomically
from src.runtime.logs import get_logger
from src.runtime.run_folder import distinct_names, fresh_folder
from src.runtime.session import start
from src.runtime.terminal import progress_shown
from src.tasks.segmentation.prediction import TrainedSegmentation
from src.visualization import SegmentedImage, overlay, segmentation_sheet, write_palette_png

SHEET, SHEET_ITEMS = "predictions", 8
OVERLAY = "_overlay"
NAMED_CLASSES = 4  # in the log, the largest ones


def predict_scenes(loaded: Loaded, files: Sequence[Path], notes: tuple[str, ...]) -> int:
    """Segment pictures of any size; returns the exit code.

    Writes <name>.png (the classes, in the palette's colours) and <name>_overlay.png a picture, and a sheet.
    """
    session = start(loaded.config, notes)
    logger = get_logger()
    forward = with_mixed_precision(loaded.network(session), loaded.config.run.amp_level).set_train(False)
    model = TrainedSegmentation(loaded.task, forward)
    logger.info("load model %s success", loaded.checkpoint.path)
    if loaded.config.output.show_graph:
        logger.warning("show_graph has no effect on a segmentation network")
    folder = fresh_folder(Path(loaded.config.output.output or "predictions"))
    bar = tqdm(model.predict(files), total=len(files), desc="predicting", leave=False, disable=not progress_shown())
    shown: list[SegmentedImage] = []
    names = distinct_names(files, taken=[SHEET], endings=("", OVERLAY))
    for name, item in zip(names, bar, strict=True):
        write_palette_png(folder / f"{name}.png", item.prediction, PALETTE)
        write_atomically(folder / f"{name}{OVERLAY}.png", _png(overlay(item.image, item.prediction, PALETTE)))
        logger.info("%s  %s", name, shares(item.prediction))
        if len(shown) < SHEET_ITEMS:
            shown.append(item)
    segmentation_sheet(shown, CLASS_NAMES, PALETTE, folder / f"{SHEET}.png", SHEET_ITEMS)
    logger.info("see %s; %d maps and overlays beside it", folder / f"{SHEET}.png", len(files))
    return 0


def shares(classes: np.ndarray) -> str:
    """The classes that cover most of a picture's labelled pixels, with their shares."""
    counts = np.bincount(classes.ravel(), minlength=len(CLASS_NAMES)) / max(1, classes.size)
    best = np.argsort(-counts, kind="stable")[:NAMED_CLASSES]
    return ", ".join(f"{CLASS_NAMES[k]} {counts[k]:.1%}" for k in best if counts[k] > 0)


def _png(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="png")
    return buffer.getvalue()
