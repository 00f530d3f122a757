"""Time the Cityscapes training data pipeline on this machine: python benchmarks/segmentation_pipeline.py [DATA_FOLDER]

Without a folder, it draws scenes and enlarges them to 2048x1024, which gives files about as large as the real ones. It
prints images per second for decoding image and label alone, for a complete sample (decode, scale, crop, flip,
normalise) timed alternately with it in one thread, and for the pipeline with one and more workers. Compare the
percentage, not the images per second, because machine speed varies.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from math import ceil
from pathlib import Path

import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from src.datasets.segmentation import TrainingScenes, scene_batches
from src.datasets.sources.cityscapes import LABEL_FILES, load_pairs
from src.datasets.sources.scene_pairs import ScenePair, read_pair
from src.datasets.synthetic.scenes import draw_scene
from src.datasets.transforms.joint import JointAugmentation, create_normalization

NUM_IMAGES, NUM_ROUNDS = 6, 5
NUM_EPOCHS = 8
INPUT_SIZE = 832
# The published job: 8 devices, batch 1 each, 940 ms per step.
NUM_DEVICES, STEP_SECONDS = 8, 0.94


def main(words: list[str]) -> int:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        pairs = load_pairs(words[0], "", "train")[:NUM_IMAGES] if words else _large_scenes(Path(folder))
        scenes = TrainingScenes(
            pairs,
            LABEL_FILES,
            JointAugmentation(input_size=INPUT_SIZE),
            create_normalization(True, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
            seed=0,
        )
        megabytes = sum(pair.image.stat().st_size for pair in pairs) / len(pairs) / 1e6
        print(f"{len(pairs)} images of {megabytes:.2f} MB (PNG), crop {INPUT_SIZE}")
        decode, sample = _alone(scenes)
        print(f"decode alone, 1 thread    {decode:6.2f} images/s")
        print(f"complete sample, 1 thread {sample:6.2f} images/s = {sample / decode:.0%} of decode alone")
        for num_workers in range(1, min(os.cpu_count() or 1, 4) + 1):
            rate = _pipeline(scenes, num_workers)
            print(f"pipeline, {num_workers} worker(s)     {rate:6.2f} images/s")
        wanted = NUM_DEVICES / STEP_SECONDS
        job = f"{NUM_DEVICES} devices at {1000 * STEP_SECONDS:.0f} ms per step"
        print(f"{job} need {wanted:.1f} images/s: {ceil(wanted / sample)} worker(s) in total")
    return 0


def _large_scenes(folder: Path) -> list[ScenePair]:
    pairs = []
    for key in range(NUM_IMAGES):
        pixels, labels = draw_scene((0, key))
        large = Image.fromarray(pixels).resize((2048, 1024), Image.Resampling.BICUBIC)
        noise = np.random.default_rng(key).normal(0, 1.2, (1024, 2048, 1))  # of the sensor: what makes a PNG large
        noisy = np.clip(np.round(np.asarray(large) + noise), 0, 255).astype(np.uint8)
        pair = ScenePair(folder / f"{key}.png", folder / f"{key}_labelIds.png")
        Image.fromarray(noisy).save(pair.image)
        Image.fromarray(labels).resize((2048, 1024), Image.Resampling.NEAREST).save(pair.label)
        pairs.append(pair)
    return pairs


def _alone(scenes: TrainingScenes) -> tuple[float, float]:
    """Images per second of decoding and of complete samples, in turns, so that both see the same machine."""
    decode, sample = [], []
    for entry in range(len(scenes.pairs), NUM_EPOCHS * len(scenes.pairs)):
        pair = scenes.pairs[entry % len(scenes.pairs)]
        decode.append(_seconds(lambda pair=pair: read_pair(pair, LABEL_FILES)))
        sample.append(_seconds(lambda entry=entry: scenes[entry]))
    return 1 / float(np.median(decode)), 1 / float(np.median(sample))


def _pipeline(scenes: TrainingScenes, num_workers: int) -> float:
    order = np.arange(NUM_ROUNDS * len(scenes.pairs))
    batches = scene_batches(scenes, order, 1, num_workers).create_tuple_iterator(num_epochs=1)
    next(batches)
    return (len(order) - 1) / _seconds(lambda: list(batches))


def _seconds(call: Callable) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
