"""Epochs that depend on their key alone: repeatable, and the same after a resume."""

import zlib

import numpy as np
import pytest

from src.datasets.epochs import EpochDataset, pipeline_seed
from src.datasets.pipeline import image_batches, read_images
from src.datasets.reading import ImageFiles
from src.datasets.sampling import training_positions
from src.datasets.transforms.image import Preprocessing, evaluation_transforms, training_transforms
from tests.support.images import write_noise

PREPROCESSING = Preprocessing(
    image_size=8, crop_pct=1.0, interpolation="bilinear", mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5)
)
NUM_STEPS = 5


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """Ten images with the labels 0 to 9."""
    folder = tmp_path_factory.mktemp("images")
    return ImageFiles([write_noise(folder / f"{key}.png", key) for key in range(10)], range(10))


def _epochs(source, *, seed=1, first_epoch=0, first_batch=0):
    transforms = training_transforms(PREPROCESSING, crop_min=0.1, hflip=0.5)

    def build(epoch):
        positions = training_positions(10, seed=seed, epoch=epoch, rank=0, num_ranks=1, batch_size=2)
        return image_batches(source, positions, transforms, batch_size=2, num_workers=2)

    return EpochDataset(build, source, NUM_STEPS, (seed, 0), first_epoch, first_batch)


def _read(dataset, num_epochs):
    """[(image bytes, labels)] of the batches of some epochs."""
    batches = []
    for _ in range(num_epochs):
        batches += [(image.asnumpy().tobytes(), label.asnumpy().tolist()) for image, label in dataset]
    return batches


def test_a_batch_is_images_with_their_labels(source):
    image, label = next(_epochs(source))
    assert (image.shape, image.dtype.__str__(), label.shape, label.dtype.__str__()) == (
        (2, 3, 8, 8),
        "Float32",
        (2,),
        "Int32",
    )


def test_an_epoch_has_its_own_permutation(source):
    labels = [label for _, batch in _read(_epochs(source), 2) for label in batch]
    expected = [
        training_positions(10, seed=1, epoch=epoch, rank=0, num_ranks=1, batch_size=2).tolist() for epoch in (0, 1)
    ]
    assert [labels[:10], labels[10:]] == expected


def test_a_run_with_two_workers_repeats_itself(source):
    first = _read(_epochs(source), 3)
    np.random.default_rng(9).random(100)
    assert len(first) == 15
    assert _read(_epochs(source), 3) == first


def test_epochs_and_seeds_have_their_own_random_crops(source):
    batches = _read(_epochs(source), 2) + _read(_epochs(source, seed=2), 1)
    assert len({image for image, _ in batches}) == 15


@pytest.mark.parametrize(("epoch", "batch"), [(0, 0), (0, 3), (1, 0), (1, 4), (2, 1)])
def test_a_resumed_run_sees_what_the_uninterrupted_one_sees(source, epoch, batch):
    uninterrupted = _read(_epochs(source), 3)
    resumed = _read(_epochs(source, first_epoch=epoch, first_batch=batch), 3 - epoch)
    assert resumed == uninterrupted[epoch * NUM_STEPS + batch :]


def test_another_dataset_read_meanwhile_changes_nothing(source):
    expected = _read(_epochs(source), 1)
    dataset = _epochs(source)
    first = next(dataset)
    read_images(source.files[:3], evaluation_transforms(PREPROCESSING))
    assert [(first[0].asnumpy().tobytes(), first[1].asnumpy().tolist()), *_read(dataset, 1)] == expected


def test_it_is_a_dataset_for_the_frameworks_training_loop(source):
    dataset = _epochs(source)
    assert dataset.get_dataset_size() == NUM_STEPS
    assert dataset.create_tuple_iterator(num_epochs=3, do_copy=False) is dataset
    assert len(list(dataset)) == NUM_STEPS
    assert dataset.reset() is None
    assert len(list(dataset)) == NUM_STEPS


def test_seeds_come_from_the_whole_key():
    assert pipeline_seed(1, 0, 2) == zlib.crc32(b"(1, 0, 2)") == 1169953749
    assert len({pipeline_seed(1, rank, epoch) for rank in range(4) for epoch in range(50)}) == 200


def test_a_few_images_are_read_in_their_order(tmp_path):
    files = [write_noise(tmp_path / f"{key}.png", key, 8, 8) for key in (5, 3, 4)]
    images = read_images(files, evaluation_transforms(PREPROCESSING))
    expected = [np.random.default_rng(key).integers(0, 256, (8, 8, 3), dtype=np.uint8) for key in (5, 3, 4)]
    assert images.shape == (3, 3, 8, 8)
    np.testing.assert_allclose(images, np.stack(expected).transpose(0, 3, 1, 2) / 127.5 - 1.0, atol=1e-6)
