"""Prediction with a trained segmentation network, from Python and for the prediction command.

model = load_model("outputs/dgcnet_nano_scenes/ckpt/best.ckpt")
for scene in model.predict(["a.png", "b.jpg"]):
    print(scene.name, scene.prediction)
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import mindspore as ms
import numpy as np
from tqdm import tqdm

from src.config import Config
from src.config.errors import counted
from src.datasets.decoding import Unreadable, read_image
from src.datasets.reading import unusable
from src.datasets.sources.label_table import LabelTable
from src.datasets.transforms.joint import whole_image
from src.inference.rows import Rows
from src.inference.sliding_window import predict_scales, predict_windows
from src.runtime.files import final_path, write_atomically
from src.runtime.logs import get_logger
from src.runtime.run_folder import distinct_names
from src.runtime.terminal import printable, progress_shown
from src.visualization import SegmentedImage, overlay, segmentation_sheet, write_palette_png, write_png

if TYPE_CHECKING:
    from src.tasks.segmentation.task import SegmentationTask

SHEET, SHEET_ITEMS = "predictions", 8
OVERLAY = "_overlay"
BAND = 128  # rows of an image whose logits are in memory at once
NAMED_CLASSES = 4  # the largest ones, named in the log


@dataclass(frozen=True, kw_only=True)
class ScenePredictor:
    """Predicts images of any size with the windows, scales and flips of the evaluation keys.

    Attributes:
        forward: (N, 3, h, w) -> logits (N, K, h, w), in inference mode.
        window: side of the windows in pixels; 0: whole images, which compiles a graph for each size.
        num_tiles: windows per call.
        scales: scales of the image whose logits are averaged.
        flip: average with the logits of mirrored copies.
    """

    forward: Callable
    window: int
    num_tiles: int
    scales: tuple[float, ...]
    flip: bool

    @classmethod
    def from_config(cls, config: Config, forward: Callable, image_size: int) -> ScenePredictor:
        """A predictor with eval_mode, eval_scales, eval_flip and eval_batch_size of the configuration."""
        evaluation = config.eval
        return cls(
            forward=forward,
            window=image_size if evaluation.eval_mode == "window" else 0,
            num_tiles=evaluation.eval_batch_size or 1,
            scales=tuple(evaluation.eval_scales),
            flip=evaluation.eval_flip,
        )

    def __call__(self, image: np.ndarray) -> np.ndarray:
        """Image (3, H, W) float32, normalised -> classes (H, W) uint8.

        Memory holds, with windows, the logits of some rows only, of all scales. With whole images it holds those of one
        scale, and their sum if there are several scales.
        """
        logits = predict_scales(self._predict_scale, image, self.scales, self.flip)
        held = list(logits) if self.window or len(self.scales) == 1 else [_sum(logits)]
        classes = np.empty(image.shape[1:], np.uint8)
        for begin, end in _bands(image.shape[1]):
            total = sum(each.read(begin, end) for each in held)
            classes[begin:end] = (total / np.float32(len(self.scales))).argmax(0)
        return classes

    def _predict_scale(self, image: Rows) -> Rows:
        if self.window:
            return predict_windows(self._logits, image, self.window, batch_size=self.num_tiles)
        return Rows.of(self._logits(np.ascontiguousarray(image.whole()[None]))[0])

    def _logits(self, images: np.ndarray) -> np.ndarray:
        return self.forward(ms.Tensor(images)).astype(ms.float32).asnumpy()


def _bands(height: int) -> Iterator[tuple[int, int]]:
    """First row and end of each band of an image."""
    return ((begin, min(begin + BAND, height)) for begin in range(0, height, BAND))


def _sum(logits: Iterator[Rows]) -> Rows:
    """The sum over scales, which are computed one after the other."""
    first = next(logits)
    bands = list(_bands(first.height))
    total = np.concatenate([first.read(*band) for band in bands], axis=1)
    del first
    for each in logits:
        for begin, end in bands:
            total[:, begin:end] += each.read(begin, end)
    return Rows.of(total)


class TrainedSegmentation:
    """A network with its weights, its preprocessing and its classes.

    Args:
        task: gives preprocessing, classes, windows, scales and flips.
        forward: the network in inference mode, (N, 3, h, w) float32 -> logits (N, K, h, w).

    Attributes:
        table: the classes with colours and label ids.
        class_names: in the order of the network's outputs.
    """

    def __init__(self, task: SegmentationTask, forward: Callable):
        self.table, self.class_names = task.table, task.class_names
        self._predictor, self._normalization = task.scene_predictor(forward), task.preprocessing.normalization

    def predict(self, files: Sequence[str | Path]) -> Iterator[SegmentedImage]:
        """Predict the classes of all pixels of image files of any size, lazily, in order.

        Raises:
            Unreadable: a file cannot be read.
        """
        return map(self.predict_file, map(Path, files))

    def predict_file(self, file: Path) -> SegmentedImage:
        """Predict the classes of all pixels of an image file; Unreadable if it cannot be read."""
        image = read_image(file)
        return SegmentedImage(file.stem, image, self._predictor(whole_image(image, self._normalization)))


def write_maps(model: TrainedSegmentation, files: Sequence[Path], make_folder: Callable[[], Path]) -> None:
    """Segment images of any size and log the largest classes of each.

    Writes into the folder that `make_folder` creates: <name>.png (classes in the palette's colours) and
    <name>_overlay.png for each image, one sheet, and unreadable.json, {file: reason}, if files cannot be read.

    Raises:
        UserError: no file can be read; no folder is created.
    """
    logger, palette, folder = get_logger(), model.table.palette, None
    shown: list[SegmentedImage] = []
    faults: dict[str, str] = {}
    names = distinct_names(_own_names(files), taken=[SHEET], endings=("", OVERLAY))
    bar = tqdm(files, desc="predicting", leave=False, disable=not progress_shown())
    for name, file in zip(names, bar, strict=True):
        try:
            item = model.predict_file(file)
        except Unreadable as fault:
            logger.warning("%s: cannot be read as an image (%s): it has no map", printable(file), fault)
            faults[printable(file)] = str(fault)
            continue
        folder = folder or make_folder()
        write_palette_png(folder / f"{name}.png", item.prediction, palette)
        write_png(folder / f"{name}{OVERLAY}.png", overlay(item.image, item.prediction, palette))
        logger.info("%s  %s", printable(name), largest_classes(item.prediction, model.table))
        if len(shown) < SHEET_ITEMS:
            shown.append(item)
    if folder is None:
        raise unusable(files[0], faults[printable(files[0])])
    if faults:
        write_atomically(folder / "unreadable.json", json.dumps(faults, indent=2))
    segmentation_sheet(shown, model.class_names, palette, folder / f"{SHEET}.png", SHEET_ITEMS)
    place = final_path(folder / f"{SHEET}.png")
    logger.info(
        "see %s; %s beside it", place, counted(len(files) - len(faults), "map and overlay", "maps and overlays")
    )


def _own_names(files: Sequence[Path]) -> list[Path]:
    """The files' names, with that of their folder where several have the same."""
    num_files = Counter(file.stem for file in files)
    return [Path(f"{file.parent.name}_{file.name}" if num_files[file.stem] > 1 else file.name) for file in files]


def largest_classes(classes: np.ndarray, table: LabelTable) -> str:
    """The largest classes of a label map (H, W) with their fractions of the labelled pixels, as text."""
    classes = classes[classes < table.num_classes]
    counts = np.bincount(classes.ravel(), minlength=table.num_classes) / max(1, classes.size)
    best = np.argsort(-counts, kind="stable")[:NAMED_CLASSES]
    return ", ".join(f"{table.names[k]} {counts[k]:.1%}" for k in best if counts[k] > 0)
