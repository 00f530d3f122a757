"""Prediction with a trained classification network, from Python and for the prediction command.

model = load_model("outputs/vig_nano_digits/ckpt/best.ckpt")
for prediction in model.predict(["a.png", "b.png"]):
    print(prediction.labels[0], prediction.probabilities[0])
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import mindspore as ms
import numpy as np
from mindspore import nn
from PIL import Image

from src.datasets.pipeline import read_images
from src.datasets.transforms.image import Preprocessing, evaluation_transforms
from src.metrics import softmax
from src.runtime.files import write_atomically, write_csv
from src.visualization import Prediction, prediction_grid

SHOWN_ROWS = 20
GRID_ITEMS = 36
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

        Raises:
            UserError: a file is missing or cannot be decoded.
        """
        paths = [Path(file) for file in files]
        rows = self._probabilities(paths, progress)
        return [self._prediction(path, row, top_k) for path, row in zip(paths, rows, strict=True)]

    def _probabilities(self, files: list[Path], progress: Callable[[Iterable], Iterable]) -> np.ndarray:
        """Class probabilities of the files, (N, K) float64."""
        batch, rows = min(BATCH, len(files)), []
        transforms = evaluation_transforms(self.preprocessing)
        for begin in progress(range(0, len(files), batch)):
            images = read_images(files[begin : begin + batch], transforms)
            filled = np.resize(images, (batch, *images.shape[1:]))
            rows.append(softmax(self.network(ms.Tensor(filled)).asnumpy()[: len(images)]))
        return np.concatenate(rows)

    def _prediction(self, file: Path, probabilities: np.ndarray, top_k: int) -> Prediction:
        best = np.argsort(-probabilities, kind="stable")[:top_k]
        with Image.open(file) as image:
            pixels = np.asarray(image.convert("RGB"))
        # In a class folder, the name of the folder is the true class.
        folder = file.resolve().parent.name
        labels = [self.class_names[index] for index in best]
        chosen = [float(probabilities[index]) for index in best]
        return Prediction(str(file), pixels, labels, chosen, folder if folder in self.class_names else None)


def table_lines(predictions: list[Prediction]) -> list[str]:
    """One line per image: file, best class with its probability, runners-up."""
    width = max(len(Path(item.path).name) for item in predictions)
    lines = []
    for item in predictions[:SHOWN_ROWS]:
        ranked = [f"{label} {share:.1%}" for label, share in zip(item.labels, item.probabilities, strict=True)]
        truth = "" if item.truth is None else f"   (is {item.truth})"
        lines.append(f"{Path(item.path).name:<{width}}  {ranked[0]:<16}  {', '.join(ranked[1:3])}{truth}")
    if len(predictions) > SHOWN_ROWS:
        lines.append(f"... and {len(predictions) - SHOWN_ROWS} more in the files below")
    return lines


def spread_out(predictions: list[Prediction]) -> list[Prediction]:
    """At most GRID_ITEMS predictions, evenly spaced, so that all classes of a folder appear."""
    chosen = np.linspace(0, len(predictions) - 1, min(GRID_ITEMS, len(predictions)))
    return [predictions[index] for index in np.round(chosen).astype(int)]


def write_predictions(predictions: list[Prediction], folder: Path) -> None:
    """Write predictions.json, predictions.csv and predictions.png."""
    records = [
        {"file": item.path, "truth": item.truth, "labels": item.labels, "probabilities": item.probabilities}
        for item in predictions
    ]
    write_atomically(folder / "predictions.json", json.dumps(records, indent=2, ensure_ascii=False))
    rows = [
        (item.path, item.truth or "", rank, label, f"{share:.6f}")
        for item in predictions
        for rank, (label, share) in enumerate(zip(item.labels, item.probabilities, strict=True), start=1)
    ]
    write_csv(folder / "predictions.csv", [("file", "truth", "rank", "label", "probability"), *rows])
    prediction_grid(spread_out(predictions), folder / "predictions.png")
