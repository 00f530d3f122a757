"""`train.py --show_batch samples.png`: training images as the network sees them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, islice
from pathlib import Path

import numpy as np

from src.commands.predict_scenes import shares
from src.config import Resolved, UserError
from src.datasets.sources.cityscapes_classes import PALETTE
from src.datasets.transforms.image import Preprocessing
from src.runtime.session import Session
from src.tasks.classification.task import ClassificationTask
from src.tasks.create import create_task
from src.tasks.segmentation.task import SegmentationTask
from src.visualization import overlay, picture_sheet

NUM_SHOWN = 24
ENDING = ".png"


def show_batch(resolved: Resolved) -> int:
    """Draw the first training images of the first epoch, augmented, with their labels; returns the exit code."""
    path = Path(resolved.config.run.show_batch)
    if path.suffix.lower() != ENDING:
        raise UserError(f"show_batch: {path} is no {ENDING} file: give --show_batch samples{ENDING}")
    task = create_task(resolved.config, given=resolved.given)
    shown = shown_scene if isinstance(task, SegmentationTask) else shown_image
    batches = task.training_dataset(Session("CPU", rank=0, num_ranks=1, isa=""), 0, 0)
    samples = chain.from_iterable(zip(batch[0].asnumpy(), batch[1].asnumpy(), strict=True) for batch in batches)
    pictures, captions = zip(*(shown(task, *sample) for sample in islice(samples, NUM_SHOWN)), strict=True)
    try:
        picture_sheet(pictures, captions, path)
    except OSError as error:
        raise UserError(f"show_batch: {path} cannot be written ({error.strerror}): give another file") from None
    print(f"see {path}: {len(pictures)} training images as the network sees them")
    return 0


def shown_image(task: ClassificationTask, image: np.ndarray, label: np.ndarray) -> tuple[np.ndarray, str]:
    """A sample of classification as a picture and its caption."""
    return seen_pixels(image, task.preprocessing), caption(label, task.class_names)


def shown_scene(task: SegmentationTask, image: np.ndarray, label: np.ndarray) -> tuple[np.ndarray, str]:
    """A sample of segmentation with the label's colours laid over it, and its largest classes."""
    pixels = task.preprocessing.normalization.pixels(image)
    return overlay(pixels, label, PALETTE), shares(label[label < len(PALETTE)])


def seen_pixels(image: np.ndarray, preprocessing: Preprocessing) -> np.ndarray:
    """A network's input (3, H, W) float as a picture (H, W, 3) uint8: the normalisation taken back."""
    pixels = image.transpose(1, 2, 0) * np.asarray(preprocessing.std) + np.asarray(preprocessing.mean)
    return np.rint(np.clip(pixels, 0.0, 1.0) * 255.0).astype(np.uint8)


def caption(label: np.ndarray, class_names: Sequence[str]) -> str:
    """A label, or a mixture's two largest shares, in words."""
    if label.ndim == 0:
        return class_names[int(label)]
    best = [index for index in np.argsort(-label, kind="stable")[:2] if label[index] >= 0.05]
    return " + ".join(f"{label[index]:.0%} {class_names[index]}" for index in best)
