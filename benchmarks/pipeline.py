"""Time the data pipeline against the framework's own: `make bench-data`, or python benchmarks/pipeline.py [WORKERS]

200 generated JPEG files of 500 x 375 pixels, the size of ImageNet's, are read, augmented to 224 x 224 and batched.
Bare: ImageFolderDataset with C++ operators only. Every round runs all pipelines one after the other, so changes in the
speed of the machine affect them equally; the ratios are medians over the rounds. Speed is wall-clock time, which other
jobs on the machine distort; processor time, summed over all threads, is not affected.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

NUM_IMAGES, NUM_CLASSES, BATCH_SIZE = 200, 10, 40
NUM_REPEATS = 4  # passes over the images in one measurement
NUM_ROUNDS = 7
POLICY = "rand-m9-mstd0.5-inc1"
# a pipeline, and the bare one to compare it with
ROWS = (
    ("crop, flip, normalise", "bare: the same"),
    ("with RandAugment", "bare: vision.RandAugment(2, 9)"),
    ("with RandAugment", "bare: our RandAugment"),
    ("ViG recipe: erasing, mixup, cutmix", "bare: vision.RandAugment(2, 9)"),
    ("ViG recipe: erasing, mixup, cutmix", "bare: our RandAugment"),
)


def main(words: list[str]) -> int:
    """Measure and print the table."""
    workers = int(words[0]) if words else min(8, os.cpu_count() or 1)
    with tempfile.TemporaryDirectory() as folder:
        _write_images(Path(folder))
        builders = {**_our_pipelines(Path(folder), workers), **_bare_pipelines(folder, workers)}
        rounds = [{name: _measure(build) for name, build in builders.items()} for _ in range(1 + NUM_ROUNDS)][1:]
    print(f"{workers} workers, batches of {BATCH_SIZE}, medians of {NUM_ROUNDS} rounds\n")
    print(f"{'pipeline':<36} {'images/s per worker':>19} {'processor ms per image':>22}")
    for name in builders:
        wall, processor = (median(times[name][kind] for times in rounds) for kind in (0, 1))
        print(f"{name:<36} {1 / wall / workers:>19.0f} {1000 * processor:>22.2f}")
    print(f"\n{'ratio':<71} {'speed':>5} {'processor':>9}")
    for ours, bare in ROWS:
        speed, processor = (median(times[bare][kind] / times[ours][kind] for times in rounds) for kind in (0, 1))
        print(f"{ours:<36} / {bare:<32} {speed:>5.2f} {processor:>9.2f}")
    return 0


def _write_images(folder: Path) -> None:
    """Smooth noise compresses to about 100 kB a file, as a photograph does."""
    import numpy as np
    from PIL import Image

    for number in range(NUM_IMAGES):
        path = folder / str(number % NUM_CLASSES) / f"{number}.jpg"
        path.parent.mkdir(exist_ok=True)
        random = np.random.default_rng(number)
        coarse = Image.fromarray(random.integers(0, 256, (94, 125, 3), dtype=np.uint8)).resize((500, 375))
        pixels = np.asarray(coarse, np.float32) + random.normal(0, 12, (375, 500, 1))
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(path, quality=90)


def _our_pipelines(folder: Path, workers: int) -> dict[str, Callable]:
    import numpy as np

    from src.datasets.pipeline import image_batches
    from src.datasets.reading import ImageFiles
    from src.datasets.sources.image_folder import scan_image_folder
    from src.datasets.transforms.batch_step import BatchStep
    from src.datasets.transforms.erasing import Erasing
    from src.datasets.transforms.image import training_transforms
    from src.datasets.transforms.mixing import Mixing

    images = scan_image_folder(folder)
    source = ImageFiles(images.files, images.labels)
    mixing = Mixing(class_num=1000, label_smoothing=0.1, mixup=0.8, cutmix=1.0)
    recipe = BatchStep(Erasing(probability=0.25), mixing, seed=1, rank=0, first_epoch=0)

    def build(policy: str, batch_step: BatchStep | None) -> Callable:
        transforms = training_transforms(_preprocessing(), crop_min=0.08, hflip=0.5, policy=policy)
        order = np.random.default_rng(1).permutation(len(source)).tolist()
        return lambda: image_batches(source, order, transforms, BATCH_SIZE, workers, batch_step)

    return {
        "crop, flip, normalise": build("none", None),
        "with RandAugment": build(POLICY, None),
        "ViG recipe: erasing, mixup, cutmix": build(POLICY, recipe),
    }


def _bare_pipelines(folder: str, workers: int) -> dict[str, Callable]:
    import mindspore.dataset as ds
    from mindspore.dataset import vision

    from src.datasets.transforms.image import policy_operators, training_transforms

    def build(operators: list) -> Callable:
        _, flip, *normalisation = training_transforms(_preprocessing(), crop_min=0.08, hflip=0.5)
        crop = vision.RandomCropDecodeResize(224, scale=(0.08, 1.0))
        transforms = [crop, flip, *operators, *normalisation]

        def pipeline() -> ds.Dataset:
            images = ds.ImageFolderDataset(folder, shuffle=True, num_parallel_workers=workers)
            return images.map(transforms, "image", num_parallel_workers=workers).batch(BATCH_SIZE, drop_remainder=True)

        return pipeline

    framework = vision.RandAugment(2, 9, interpolation=vision.Inter.BILINEAR)
    return {
        "bare: the same": build([]),
        "bare: vision.RandAugment(2, 9)": build([framework]),
        "bare: our RandAugment": build(policy_operators(POLICY, (124, 116, 104))),
    }


def _preprocessing():
    from src.datasets.transforms.image import Preprocessing

    mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    return Preprocessing(image_size=224, crop_pct=0.875, interpolation="bilinear", mean=mean, std=std)


def _measure(build: Callable) -> tuple[float, float]:
    """(wall-clock, processor) seconds per image over several passes of a pipeline, including its start."""
    wall, processor = time.perf_counter(), time.process_time()
    batches = build().repeat(NUM_REPEATS).create_tuple_iterator(num_epochs=1, do_copy=False)
    count = sum(len(image) for image, _ in batches)
    return (time.perf_counter() - wall) / count, (time.process_time() - processor) / count


if __name__ == "__main__":
    from src.runtime.device import prepare_process

    prepare_process()
    sys.exit(main(sys.argv[1:]))
