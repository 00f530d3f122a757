"""Many starts of the data pipeline one after the other, with damaged files, early ends and failures.

python -m tests.support.pipeline_starts FOLDER NUM_STARTS [SEED]

Prints how the pipelines ended; one that stands still ends the program with exit code 1 and the stacks of all threads.
It is a race, so start several of these at once, more than there are cores. While the framework decoded, and a damaged
file made its pipeline fail, five of six such processes stood still within two minutes.
"""

from __future__ import annotations

import faulthandler
import os
import sys
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np

from src.runtime.device import prepare_process

NUM_IMAGES, BATCH = 24, 4
TIMEOUT = 60.0  # seconds for a batch of four tiny images
DAMAGED = {3: "flipped.png", 8: "cut.bmp", 20: "float.tif"}
WHOLE, EARLY, FAILING = "read to the end", "given up early", "ended by too many damaged files"


def start_many(folder: Path, num_starts: int, seed: int) -> Counter[str]:
    """Start pipelines over 24 images, three of them damaged; how many ended in which way.

    Raises:
        Standstill: one gave no batch for TIMEOUT seconds.
    """
    files = _write_images(folder)
    random, ends = np.random.default_rng(seed), Counter()
    for number in range(num_starts):
        way = (WHOLE, EARLY, FAILING)[random.integers(3)]
        batches = _batches(files, 0.05 if way == FAILING else 0.5, random.permutation(NUM_IMAGES).tolist(), number)
        ends[_end(batches, int(random.integers(1, 4)) if way == EARLY else None)] += 1
    return ends


def _end(batches: Iterator, num_wanted: int | None) -> str:
    from src.config import UserError

    try:
        num_taken = sum(1 for _ in islice(batches, num_wanted))
    except UserError as error:
        assert str(error).startswith("max_bad_images 0.05: ")
        return FAILING
    finally:
        batches.close()
    assert num_taken == (num_wanted or NUM_IMAGES // BATCH)
    return EARLY if num_wanted else WHOLE


def _batches(files: list[Path], max_bad_images: float, order: list[int], seed: int) -> Iterator:
    import mindspore.dataset as ds

    from src.datasets.pipeline import image_batches, read_batches
    from src.datasets.reading import TrainingImages
    from src.datasets.transforms.image import Preprocessing, training_transforms

    settings = Preprocessing(image_size=8, crop_pct=1.0, interpolation="bilinear", mean=(0.0,) * 3, std=(1.0,) * 3)
    transforms = training_transforms(settings, crop_min=0.5, hflip=0.5)
    source = TrainingImages(files, [0] * len(files), seed=1, max_bad_images=max_bad_images)

    def start() -> Iterator:
        pipeline = image_batches(source, order, transforms, BATCH, num_workers=2)
        ds.config.set_seed(seed)
        return pipeline.create_tuple_iterator(num_epochs=1, do_copy=False)

    return read_batches(start, source, timeout=TIMEOUT)


def _write_images(folder: Path) -> list[Path]:
    from tests.support.images import write_noise
    from tests.support.odd_images import damaged_within

    files = [write_noise(folder / f"{number:02}.png", number) for number in range(NUM_IMAGES)]
    for number, name in DAMAGED.items():
        files[number].write_bytes(damaged_within()[name])
    return files


def main(folder: str, num_starts: str, seed: str = "0") -> None:
    """Print the ways and their numbers; exit at once when a pipeline stands still."""
    from src.config import Standstill

    try:
        ends = start_many(Path(folder), int(num_starts), int(seed))
    except Standstill as error:
        print(error, flush=True)
        faulthandler.dump_traceback(all_threads=True)
        os._exit(1)
    print(", ".join(f"{number} {way}" for way, number in sorted(ends.items())))


if __name__ == "__main__":
    prepare_process()
    main(*sys.argv[1:])
