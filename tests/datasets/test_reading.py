"""Unreadable images in the pipeline: replaced in training, wrong in evaluation, always at the same places."""

import io
import logging
from functools import partial

import numpy as np
import pytest
from PIL import Image

from src.datasets.epochs import EpochDataset
from src.datasets.pipeline import image_batches, read_batches
from src.datasets.reading import EvaluationImages, TrainingImages
from src.datasets.sampling import training_positions
from src.datasets.transforms.image import Preprocessing, evaluation_transforms, training_transforms
from src.metrics import ClassificationMetric
from tests.support.images import write_image
from tests.support.odd_images import broken_images, damaged_within, write_files
from tests.support.user_errors import message_of

SETTINGS = Preprocessing(image_size=8, crop_pct=1.0, interpolation="bilinear", mean=(0.0,) * 3, std=(1.0,) * 3)
BATCH, NUM_IMAGES = 4, 24


@pytest.fixture
def files(tmp_path):
    """24 images of two classes (even and odd); each is of one colour, its number."""
    return [
        write_image(tmp_path / f"images/{n:02}.png", np.full((9, 9, 3), n * 10, np.uint8)) for n in range(NUM_IMAGES)
    ]


def _source(files, *, seed=1, max_bad_images=0.5):
    labels = [number % 2 for number in range(len(files))]
    return TrainingImages(files, labels, seed=seed, max_bad_images=max_bad_images)


def _epochs(source, num_epochs=2, first_epoch=0, first_batch=0, workers=2):
    """[(numbers of the images, labels)] of each batch."""
    transforms = training_transforms(SETTINGS, crop_min=0.5, hflip=0.5)

    def build(epoch):
        order = training_positions(NUM_IMAGES, seed=1, epoch=epoch, rank=0, num_ranks=1, batch_size=BATCH)
        return image_batches(source, order.tolist(), transforms, BATCH, workers)

    dataset = EpochDataset(build, source, NUM_IMAGES // BATCH, (1, 0), first_epoch, first_batch)
    return [
        (np.rint(image.asnumpy()[:, 0, 4, 4] * 25.5).astype(int).tolist(), label.asnumpy().tolist())
        for _ in range(num_epochs)
        for image, label in dataset
    ]


def _break(path, content):
    path.write_bytes(content)


@pytest.mark.parametrize("content", [broken_images()["cut.png"], damaged_within()["flipped.png"]])
def test_another_image_of_the_class_takes_the_place_and_all_else_stays(files, content):
    healthy = _epochs(_source(files))
    _break(files[7], content)
    source = _source(files)
    batches = _epochs(source)
    assert list(source.faults) == [files[7]]
    differing = []
    for (numbers, labels), (expected, expected_labels) in zip(batches, healthy, strict=True):
        assert labels == expected_labels
        assert [number % 2 for number in numbers] == labels
        differing += [(old, new) for old, new in zip(expected, numbers, strict=True) if old != new]
    assert [old for old, _ in differing] == [7, 7]
    assert len({new for _, new in differing}) == 1


def test_what_comes_does_not_depend_on_when_a_file_was_found_out(files):
    _break(files[3], broken_images()["text.jpg"])
    _break(files[8], damaged_within()["flipped.png"])
    _break(files[20], damaged_within()["float.tif"])
    source = _source(files)
    first = _epochs(source)
    assert set(source.faults) == {files[3], files[8], files[20]}
    assert _epochs(source) == first  # all known
    assert _epochs(_source(files), workers=1) == first
    for epoch, batch in [(0, 2), (0, 5), (1, 0), (1, 3)]:
        resumed = _epochs(_source(files), 2 - epoch, epoch, batch)
        assert resumed == first[epoch * 6 + batch :]


def test_the_replacement_depends_on_the_seed(files):
    _break(files[7], b"")
    replacements = {_source(files, seed=seed)[7][0].tobytes() for seed in range(8)}
    assert len(replacements) > 2


def test_each_bad_file_is_named_and_counted_once_in_the_log(files, caplog, monkeypatch):
    monkeypatch.setattr(logging.getLogger("zoo"), "propagate", True)
    _break(files[7], b"")
    _epochs(_source(files))
    assert [record.getMessage() for record in caplog.records] == [
        f"{files[7]}: cannot be read as an image (empty file): replaced by another image of its class; 1 of 24 so far"
    ]


def test_too_many_bad_images_end_the_training(files):
    for number in (2, 5, 9):
        _break(files[number], b"")
    message = message_of(_epochs, _source(files, max_bad_images=0.1))
    assert message.startswith("max_bad_images 0.1: 3 of 24 training images cannot be read: ")
    assert all(f"{files[number]} (empty file)" in message for number in (2, 5, 9))
    assert message.endswith(": replace or remove them (--check_dataset 1 lists them all), or increase --max_bad_images")


def test_too_many_images_damaged_within_end_the_training(files):
    for number in (2, 5, 9):
        _break(files[number], damaged_within()["flipped.png"])
    assert message_of(_epochs, _source(files, max_bad_images=0.1)).startswith("max_bad_images 0.1: 3 of 24 ")


def test_a_class_without_any_readable_image_is_named(files):
    for path in files[1::2]:
        _break(path, b"")
    assert message_of(_epochs, _source(files, max_bad_images=1.0)) == (
        f"{files[0].parent}: none of its 12 images can be read: replace them"
    )


def test_in_evaluation_they_count_as_wrong_and_all_files_count(files):
    damaged = damaged_within()["flipped.png"]
    _break(files[0], b"")
    _break(files[5], damaged)
    labels = [number % 2 for number in range(NUM_IMAGES)]
    source = EvaluationImages(files, labels)
    pipeline = image_batches(source, range(NUM_IMAGES), evaluation_transforms(SETTINGS), BATCH, 2)
    metric, seen = ClassificationMetric(2), []
    start = partial(pipeline.create_tuple_iterator, num_epochs=1, output_numpy=True)
    for image, label in read_batches(start, source, timeout=0.0):
        seen += label.tolist()
        truth = np.where(label < 0, -1 - label, label)
        metric.update(np.eye(2)[truth] * 50, label)
        assert (image[label < 0] == 0).all()
    assert seen == [-1, 1, 0, 1, 0, -2, *labels[6:]]
    result = metric.compute()
    assert (result.num_images, result.num_correct, result.confusion.tolist()) == (24, 22, [[11, 1], [1, 11]])


def test_files_with_other_endings_are_read_too(files, tmp_path):
    (webp,) = write_files(tmp_path / "images", {"07.png": _red_webp()})
    assert webp == files[7]
    source = _source(files)
    assert len(_epochs(source)) == 12
    assert source.faults == {}


def _red_webp():
    buffer = io.BytesIO()
    Image.new("RGB", (9, 9), (255, 0, 0)).save(buffer, "WEBP")
    return buffer.getvalue()
