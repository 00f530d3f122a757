"""From a list of encoded images to batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import mindspore.dataset as ds
import numpy as np
from mindspore.dataset import vision

from src.config import UserError


class EncodedImages:
    """Random access to (bytes of the image file, label): the framework's C++ operators decode them."""

    def __init__(self, files: Sequence[Path], labels: Sequence[int]):
        self.files = files
        self.labels = np.asarray(labels, np.int32)

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        return np.fromfile(self.files[index], np.uint8), self.labels[index]


def image_batches(
    source: EncodedImages, order: np.ndarray | ds.Sampler, transforms: list, batch_size: int, num_workers: int
) -> ds.Dataset:
    """Batches (image (B, 3, H, W) float32, label (B,) int32) of the samples in `order`: positions, or a sampler."""
    sampler = order if isinstance(order, ds.Sampler) else ds.SubsetSampler(order.tolist())
    # One reading thread keeps up with the decoders and keeps the order.
    pipeline = ds.GeneratorDataset(source, ["image", "label"], sampler=sampler, num_parallel_workers=1)
    pipeline = pipeline.map(transforms, "image", num_parallel_workers=num_workers)
    return pipeline.batch(batch_size, drop_remainder=True)


def read_images(files: Sequence[Path], transforms: list) -> np.ndarray:
    """The images (N, 3, H, W) float32 of a few files.

    Raises:
        UserError: a file that is not there or cannot be decoded.
    """
    source = EncodedImages(files, np.zeros(len(files)))
    batches = image_batches(source, np.arange(len(files)), transforms, len(files), num_workers=1)
    iterator = batches.create_tuple_iterator(num_epochs=1, output_numpy=True)
    return next(checked(iterator, source))[0]


def checked(batches: Iterator, source: EncodedImages) -> Iterator:
    """The batches; an image that cannot be decoded ends them with a UserError that names it."""
    try:
        yield from batches
    except RuntimeError as error:
        raise UserError(_unreadable(source, str(error))) from None


def _unreadable(source: EncodedImages, reason: str) -> str:
    """Which file it was: the pipeline has only bytes, so the files are decoded one by one, now that one is bad."""
    decode = vision.Decode()
    for path in source.files:
        try:
            decode(np.fromfile(path, np.uint8))
        except (OSError, RuntimeError):
            return f"{path}: cannot be read as an image: replace it by a JPEG, PNG, BMP, PPM or TIFF file, or remove it"
    causes = [line for line in reason.splitlines() if line.startswith("[ERROR]")] or reason.strip().splitlines()
    return f"reading the images failed: {causes[0].removeprefix('[ERROR]').strip()}"
