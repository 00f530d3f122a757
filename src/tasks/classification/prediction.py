"""A trained classification network for use from Python.

model = load_model("outputs/vig_nano_digits/ckpt/best.ckpt")
for prediction in model.predict(["a.png", "b.png"]):
    print(prediction.labels[0], prediction.probabilities[0])
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import mindspore as ms
import numpy as np
from mindspore import nn
from PIL import Image

from src.datasets.pipeline import read_images
from src.datasets.transforms.image import Preprocessing, evaluation_transforms
from src.visualization import Prediction

BATCH = 16  # pictures a call; the last call is filled up, so that one graph serves all


class TrainedModel:
    """A network with its weights, its preprocessing and its classes.

    Attributes:
        network: in inference mode; (B, 3, H, W) float32 -> logits (B, K).
        preprocessing: how it wants an image.
        class_names: one for each output.
    """

    def __init__(self, network: nn.Cell, preprocessing: Preprocessing, class_names: Sequence[str]):
        self.network, self.preprocessing, self.class_names = network, preprocessing, tuple(class_names)

    def predict(
        self,
        files: Sequence[str | Path],
        top_k: int = 5,
        progress: Callable[[Iterable], Iterable] = iter,
    ) -> list[Prediction]:
        """The best classes of picture files.

        Args:
            top_k: classes a picture, best first.
            progress: wraps the loop over batches, tqdm for one.

        Raises:
            UserError: a file that is not there or cannot be decoded.
        """
        paths = [Path(file) for file in files]
        rows = self._probabilities(paths, progress)
        return [self._prediction(path, row, top_k) for path, row in zip(paths, rows, strict=True)]

    def _probabilities(self, files: list[Path], progress: Callable[[Iterable], Iterable]) -> np.ndarray:
        """(number of files, K) float64"""
        batch, rows = min(BATCH, len(files)), []
        transforms = evaluation_transforms(self.preprocessing)
        for begin in progress(range(0, len(files), batch)):
            images = read_images(files[begin : begin + batch], transforms)
            filled = np.resize(images, (batch, *images.shape[1:]))
            logits = self.network(ms.Tensor(filled)).asnumpy()[: len(images)].astype(np.float64)
            exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
            rows.append(exponentials / exponentials.sum(axis=1, keepdims=True))
        return np.concatenate(rows)

    def _prediction(self, file: Path, probabilities: np.ndarray, top_k: int) -> Prediction:
        best = np.argsort(-probabilities, kind="stable")[:top_k]
        with Image.open(file) as image:
            pixels = np.asarray(image.convert("RGB"))
        # In a class folder the folder's name is the truth.
        folder = file.resolve().parent.name
        labels = [self.class_names[index] for index in best]
        shares = [float(probabilities[index]) for index in best]
        return Prediction(str(file), pixels, labels, shares, folder if folder in self.class_names else None)
