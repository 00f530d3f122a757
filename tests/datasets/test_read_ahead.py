"""Reading several files at a time gives the same samples in the same order."""

import threading
import time

import numpy as np
import pytest

from src.datasets.pipeline import image_batches
from src.datasets.read_ahead import ReadAhead, reads_slowly
from src.datasets.transforms import Preprocessing, training_transforms
from src.datasets.unreadable import TrainingImages
from tests.support.images import write_noise

SETTINGS = Preprocessing(image_size=8, crop_pct=1.0, interpolation="bilinear", mean=(0.0,) * 3, std=(1.0,) * 3)


class _Numbers:
    """Sample n is n; each takes `seconds`, uneven numbers twice as long."""

    def __init__(self, seconds=0.0):
        self.seconds, self.readers, self.num_read = seconds, set(), 0

    def __len__(self):
        return 40

    def __getitem__(self, index):
        time.sleep(self.seconds * (1 + index % 2))
        self.readers.add(threading.get_ident())
        self.num_read += 1
        return index


@pytest.mark.parametrize("num_threads", [1, 3, 16])
def test_the_order_stays(num_threads):
    order = np.random.default_rng(0).permutation(40).tolist()
    source = _Numbers(0.002)
    ahead = ReadAhead(source, order, num_threads)
    assert len(ahead) == 40
    assert list(ahead) == list(ahead) == order
    assert 1 <= len(source.readers) <= 2 * num_threads


def test_it_reads_a_few_samples_ahead_only():
    source = _Numbers()
    samples = iter(ReadAhead(source, range(40), 2))
    assert [next(samples), next(samples)] == [0, 1]
    samples.close()
    assert source.num_read <= 6


def test_an_error_comes_where_its_sample_would():
    class _Broken(_Numbers):
        def __getitem__(self, index):
            if index == 5:
                raise RuntimeError("sample 5")
            return index

    samples = iter(ReadAhead(_Broken(), range(40), 4))
    assert [next(samples) for _ in range(5)] == [0, 1, 2, 3, 4]
    with pytest.raises(RuntimeError, match="sample 5"):
        next(samples)


def test_a_slow_source_is_known():
    assert reads_slowly(_Numbers(0.005))
    assert not reads_slowly(_Numbers())


def test_the_pipeline_gives_the_same_batches_from_a_slow_source(tmp_path):
    files = [write_noise(tmp_path / f"{key}.png", key) for key in range(12)]
    files[4].write_bytes(b"")
    batches = {}
    for slow in (False, True):
        source = TrainingImages(files, [key % 2 for key in range(12)], seed=1, max_bad_images=0.5)
        source.reads_slowly = slow
        pipeline = image_batches(
            source, np.arange(12)[::-1], training_transforms(SETTINGS, crop_min=1.0, hflip=0.0), 4, 8
        )
        iterator = pipeline.create_tuple_iterator(num_epochs=1, output_numpy=True)
        batches[slow] = [(image.tobytes(), label.tolist()) for image, label in iterator]
    assert len(batches[True]) == 3
    assert batches[True] == batches[False]
