"""Batches of a source's samples, processed by the framework's C++ operators."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import count
from pathlib import Path

import mindspore.dataset as ds
import numpy as np

from src.config import UserError
from src.datasets.reading import ImageFiles, Source
from src.runtime.device import clamp_workers
from src.runtime.remedies import remedy_for
from src.runtime.watchdog import Watchdog

# Seconds granted to a batch beyond the time limit of a sample.
GRACE = 30.0


def image_batches(
    source: Source,
    order: Collection[int],
    transforms: list,
    batch_size: int,
    num_workers: int,
    batch_step: Callable | None = None,
) -> ds.Dataset:
    """Batches (image (B, 3, H, W) float32, label (B,) int32) of the samples in `order`.

    At most `num_workers` threads read and as many transform, never more than the number of cores. `batch_step` changes
    the images and labels of a batch before they are stacked (see `BatchStep`).
    """
    pipeline = source.pipeline(order, num_workers)
    pipeline = pipeline.map(transforms, "image", num_parallel_workers=clamp_workers(num_workers))
    return pipeline.batch(batch_size, drop_remainder=True, per_batch_map=batch_step)


def read_batches(start: Callable[[], Iterator], source: Source, *, timeout: float, first_batch: int = 0) -> Iterator:
    """The batches of a pipeline over `source`, from `first_batch` on.

    Args:
        start: starts the pipeline.
        timeout: longest time to wait for a sample, seconds, and for a batch with GRACE added; 0: no limit. When the
            framework itself blocks, the process ends, since nothing else can end the wait.

    Raises:
        UserError: the source failed, or an operator failed.
        RuntimeError: the framework lacks memory.
        Standstill: a sample exceeded the time limit.
    """
    source.timeout = timeout
    watchdog = Watchdog(timeout and timeout + GRACE, lambda: source.standstill("batch", timeout + GRACE))
    try:
        with watchdog.call():
            batches = start()
        for number in count():
            with watchdog.call():
                batch = next(batches, None)
            if batch is None or source.failure is not None:
                break
            if number >= first_batch:
                yield batch
    except RuntimeError as error:
        if source.failure is None:
            raise _told(error) from None
    finally:
        watchdog.close()
    if source.failure is not None:
        raise source.failure from None


def read_images(files: Sequence[Path], transforms: list) -> np.ndarray:
    """The transformed images of a few files, (N, 3, H, W) float32.

    Raises:
        UserError: a file that is missing or cannot be decoded.
    """
    return np.stack([transformed(pixels, transforms) for pixels in read_all(files)])


def read_all(files: Sequence[Path]) -> Iterator[np.ndarray]:
    """The pixels (H, W, 3) uint8, RGB, of files; UserError for one that is missing or cannot be decoded."""
    images = ImageFiles(files, np.zeros(len(files)))
    return (images[index][0] for index in range(len(images)))


def transformed(pixels: np.ndarray, transforms: list) -> np.ndarray:
    """The result of operators on pixels (H, W, 3) uint8."""
    for operator in transforms:
        pixels = operator(pixels)
    return pixels


def _told(error: RuntimeError) -> UserError | RuntimeError:
    """A pipeline's error in a line; a lack of memory is not blamed on the images."""
    cause = RuntimeError(framework_cause(error))
    return cause if remedy_for(cause) else UserError(f"reading the images failed: {cause}")


def framework_cause(error: RuntimeError) -> str:
    """The line of a pipeline's error that says why."""
    lines = str(error).strip().splitlines()
    causes = [line for line in lines if line.startswith("[ERROR]")] or lines
    return causes[0].removeprefix("[ERROR]").strip()
