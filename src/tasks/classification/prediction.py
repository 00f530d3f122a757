"""Prediction with a trained classification network, from Python and for the prediction command.

model = load_model("outputs/vig_nano_digits/ckpt/best.ckpt")
for prediction in model.predict(["a.png", "b.png"]):
    print(prediction.labels[0], prediction.probabilities[0])
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from pathlib import Path

import mindspore as ms
import numpy as np
from mindspore import nn

from src.datasets.decoding import Unreadable, read_image
from src.datasets.pipeline import transformed
from src.datasets.reading import black_image, unusable
from src.datasets.sources.imagenet import class_of_folder
from src.datasets.sources.picture_files import short_names
from src.datasets.transforms.image import Preprocessing, evaluation_transforms
from src.metrics import softmax
from src.runtime.files import write_atomically, write_csv
from src.runtime.logs import get_logger
from src.runtime.terminal import printable
from src.visualization import Prediction, prediction_grid, small_picture

SHOWN_ROWS = 20
GRID_ITEMS = 36
PICTURE_SIDE = 320  # pixels of a picture kept for the sheet
BATCH = 16  # images per call; the last batch is padded, so that one compiled graph serves all


class TrainedModel:
    """A network with its weights, its preprocessing and its classes.

    Attributes:
        network: in inference mode; (B, 3, H, W) float32 -> logits (B, K).
        preprocessing: preprocessing of an image.
        class_names: one per output.
    """

    def __init__(self, network: nn.Cell, preprocessing: Preprocessing, class_names: Sequence[str]):
        self.network, self.preprocessing, self.class_names = network, preprocessing, tuple(class_names)

    def predict(
        self,
        files: Sequence[str | Path],
        top_k: int = 5,
        progress: Callable[[Iterable], Iterable] = iter,
    ) -> list[Prediction]:
        """Predict the most probable classes of image files.

        Args:
            top_k: classes per image, best first.
            progress: wraps the loop over batches, for example tqdm.

        Returns:
            One prediction per file; that of a file which cannot be read has a `fault` and no labels.
        """
        paths, batch = [Path(file) for file in files], min(BATCH, len(files))
        predictions = []
        for begin in progress(range(0, len(paths), batch)):
            predictions += self._predict_batch(paths[begin : begin + batch], batch, top_k)
        return predictions

    def _predict_batch(self, files: list[Path], batch: int, top_k: int) -> list[Prediction]:
        found = [_pixels_or_fault(file) for file in files]
        readable = [pixels for pixels in found if isinstance(pixels, np.ndarray)]
        rows = iter(self._probabilities(readable, batch) if readable else ())
        return [
            Prediction(str(file), black_image(), [], [], self._truth(file), pixels)
            if isinstance(pixels, str)
            else self._prediction(file, pixels, next(rows), top_k)
            for file, pixels in zip(files, found, strict=True)
        ]

    def _probabilities(self, images: list[np.ndarray], batch: int) -> np.ndarray:
        """Class probabilities of at most `batch` images (H, W, 3) uint8, (N, K) float64."""
        transforms = evaluation_transforms(self.preprocessing)
        inputs = np.stack([transformed(image, transforms) for image in images])
        filled = np.resize(inputs, (batch, *inputs.shape[1:]))
        return softmax(self.network(ms.Tensor(filled)).asnumpy()[: len(inputs)])

    def _prediction(self, file: Path, pixels: np.ndarray, probabilities: np.ndarray, top_k: int) -> Prediction:
        best = np.argsort(-probabilities, kind="stable")[:top_k]
        labels = [self.class_names[index] for index in best]
        chosen = [float(probabilities[index]) for index in best]
        return Prediction(str(file), small_picture(pixels, PICTURE_SIDE), labels, chosen, self._truth(file))

    def _truth(self, file: Path) -> str | None:
        """In a class folder, the name of the folder is the true class."""
        name = class_of_folder(file.resolve().parent.name, self.class_names)
        return name if name in self.class_names else None


def _pixels_or_fault(file: Path) -> np.ndarray | str:
    try:
        return read_image(file)
    except Unreadable as fault:
        return str(fault)


def check_readable(predictions: Sequence[Prediction]) -> None:
    """Name the files that cannot be read in the log; UserError if there are no others."""
    bad = [item for item in predictions if item.fault]
    if len(bad) == len(predictions):
        raise unusable(Path(bad[0].path), bad[0].fault)
    for item in bad:
        get_logger().warning(
            "%s: cannot be read as an image (%s): it has no prediction", printable(item.path), item.fault
        )


def table_lines(predictions: Sequence[Prediction]) -> list[str]:
    """One line per image: file, best class with its probability, runners-up."""
    names = [printable(name) for name in short_names([Path(item.path) for item in predictions])[:SHOWN_ROWS]]
    width = max(map(len, names))
    lines = []
    for name, item in zip(names, predictions, strict=False):
        ranked = [f"{label} {share:.1%}" for label, share in zip(item.labels, item.probabilities, strict=True)]
        ranked = ranked or [f"unreadable ({item.fault})"]
        truth = "" if item.truth is None else f"   (is {item.truth})"
        lines.append(f"{name:<{width}}  {ranked[0]:<16}  {', '.join(ranked[1:3])}{truth}".rstrip())
    if len(predictions) > SHOWN_ROWS:
        lines.append(f"... and {len(predictions) - SHOWN_ROWS} more in the files below")
    return lines


def spread_out(predictions: list[Prediction]) -> list[Prediction]:
    """At most GRID_ITEMS predictions of readable files, evenly spaced, so that all classes of a folder appear."""
    predictions = [item for item in predictions if not item.fault]
    chosen = np.linspace(0, len(predictions) - 1, min(GRID_ITEMS, len(predictions)))
    return [predictions[index] for index in np.round(chosen).astype(int)]


def write_predictions(predictions: list[Prediction], folder: Path) -> None:
    """Write predictions.json, predictions.csv and predictions.png."""
    records = [
        {"file": printable(item.path), "truth": item.truth, "labels": item.labels, "probabilities": item.probabilities}
        | ({"unreadable": item.fault} if item.fault else {})
        for item in predictions
    ]
    write_atomically(folder / "predictions.json", json.dumps(records, indent=2, ensure_ascii=False))
    header = ("file", "truth", "rank", "label", "probability")
    write_csv(folder / "predictions.csv", [header, *chain.from_iterable(map(_rows, predictions))])
    prediction_grid(spread_out(predictions), folder / "predictions.png")


def _rows(item: Prediction) -> list[tuple]:
    """The lines of a picture in predictions.csv."""
    name, truth = printable(item.path), item.truth or ""
    if item.fault:
        return [(name, truth, "", f"unreadable ({item.fault})", "")]
    ranked = enumerate(zip(item.labels, item.probabilities, strict=True), start=1)
    return [(name, truth, rank, label, f"{share:.6f}") for rank, (label, share) in ranked]
