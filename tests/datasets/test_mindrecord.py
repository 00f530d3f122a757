"""MindRecord files: the same samples in the same order as from the folder, and nothing of another data set."""

import json
import resource

import numpy as np
import pytest

from src.datasets.pipeline import image_batches
from src.datasets.reading import TrainingImages
from src.datasets.sources.image_folder import scan_image_folder
from src.datasets.sources.mindrecord import RecordSource, open_mindrecord, write_mindrecord
from src.datasets.transforms.image import Preprocessing, evaluation_transforms
from tests.support.images import write_class_folder
from tests.support.odd_images import damaged_within
from tests.support.user_errors import message_of

SETTINGS = Preprocessing(image_size=8, crop_pct=1.0, interpolation="bilinear", mean=(0.0,) * 3, std=(1.0,) * 3)


@pytest.fixture
def images(tmp_path):
    """150 images: more than are written at once."""
    return scan_image_folder(write_class_folder(tmp_path / "images", {"cat": 70, "dog": 80}))


def _batches(source, order, batch=5):
    pipeline = image_batches(source, list(order), evaluation_transforms(SETTINGS), batch, 2)
    iterator = pipeline.create_tuple_iterator(num_epochs=1, output_numpy=True)
    return [(image.tobytes(), label.tolist()) for image, label in iterator]


@pytest.mark.parametrize("shard_bytes", [2**30, 100_000])
def test_samples_come_as_from_the_folder(tmp_path, images, monkeypatch, shard_bytes):
    monkeypatch.setattr("src.datasets.sources.mindrecord.SHARD_BYTES", shard_bytes)
    assert write_mindrecord(images, tmp_path / "records", "train", 2) == {}
    records = open_mindrecord(tmp_path / "records", "train", "dataset_path")
    assert (records.class_names, records.labels) == (images.class_names, images.labels)
    assert len([path for path in records.shards if path.suffix != ".db"]) == (1 if shard_bytes > 10**6 else 3)
    source = TrainingImages(images.files, images.labels, seed=1, max_bad_images=0.0)
    order = np.random.default_rng(0).permutation(150)
    assert _batches(RecordSource(records), order) == _batches(source, order)


def test_a_disk_without_room_is_named_before_anything_is_written(tmp_path, images, monkeypatch):
    monkeypatch.setattr("src.datasets.sources.mindrecord.SPARE_BYTES", 2**60)
    with pytest.raises(OSError, match="No space left on device") as caught:
        write_mindrecord(images, tmp_path / "records", "train", 2)
    assert caught.value.filename == str(tmp_path / "records")
    assert list((tmp_path / "records").iterdir()) == []


@pytest.mark.parametrize("limit", [1_000, 5_000_000, 30_000_000, 80 * 2**20])
def test_files_that_may_not_be_as_large_are_named_before_the_writer_crashes(tmp_path, images, limit):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        with pytest.raises(OSError, match="File too large") as caught:
            write_mindrecord(images, tmp_path / "records", "train", 2)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert caught.value.filename == str(tmp_path / "records")
    assert not (tmp_path / "records" / "train.json").exists()


def test_an_image_may_come_twice_to_fill_up_a_batch(tmp_path):
    images = scan_image_folder(write_class_folder(tmp_path / "images", {"cat": 2, "dog": 1}))
    write_mindrecord(images, tmp_path, "val", 1)
    source = RecordSource(open_mindrecord(tmp_path, "val", "eval_path"))
    ((_, labels),) = _batches(source, [0, 1, 2, 0, 1, 2, 0], batch=7)
    assert labels == [0, 0, 1, 0, 0, 1, 0]


def test_unreadable_images_are_left_out_of_training_and_wrong_in_evaluation(tmp_path, images):
    cut, damaged = images.files[3], images.files[100]
    cut.write_bytes(cut.read_bytes()[:60])
    damaged.write_bytes(damaged_within()["flipped.png"])
    for split in ("train", "val"):
        faults = write_mindrecord(images, tmp_path / "records", split, 2)
        assert faults == {
            cut: "truncated",
            damaged: "damaged",
        }
    train = open_mindrecord(tmp_path / "records", "train", "dataset_path")
    val = open_mindrecord(tmp_path / "records", "val", "eval_path", ("cat", "dog"))
    assert (len(train), train.labels.count(0), train.labels.count(1)) == (148, 69, 79)
    assert (len(val), val.labels[3], val.labels[100]) == (150, -1, -2)
    assert _batches(RecordSource(val), [2, 3, 4, 99, 100])[0][1] == [0, -1, 0, 1, -2]


def test_another_data_set_is_refused(tmp_path, images):
    write_mindrecord(images, tmp_path, "val", 2)
    path = tmp_path / "val.json"
    assert message_of(open_mindrecord, tmp_path, "val", "eval_path", ("cat", "fox")) == (
        f"{path}: MindRecord of another data set: class 1 is dog, in the training fox"
    )
    assert message_of(open_mindrecord, tmp_path, "val", "eval_path", ("cat", "dog", "fox")) == (
        f"{path}: MindRecord of another data set: it has 2 classes, the training has 3"
    )
    assert message_of(write_mindrecord, images, tmp_path, "val", 2) == (
        f"{path} already exists: give another folder or remove it"
    )


def test_what_is_missing_or_damaged_is_named(tmp_path, images):
    assert message_of(open_mindrecord, tmp_path, "train", "dataset_path") == (
        f"dataset_path: no MindRecord data set at {tmp_path}/train.json: "
        "create it with python scripts/create_mindrecord.py"
    )
    write_mindrecord(images, tmp_path, "train", 2)
    shard = tmp_path / "train.mindrecord"
    shard.write_bytes(shard.read_bytes()[:-100])
    assert message_of(open_mindrecord, tmp_path, "train", "dataset_path").startswith(
        f"{shard}: missing or changed since it was written: create it again with "
    )
    (tmp_path / "train.json").write_text(json.dumps({"labels": []}))
    assert message_of(open_mindrecord, tmp_path, "train", "dataset_path").startswith(f"{tmp_path}/train.json: not a ")


def test_what_needs_image_files_says_so(tmp_path, images):
    write_mindrecord(images, tmp_path, "train", 2)
    records = open_mindrecord(tmp_path, "train", "dataset_path")
    assert message_of(lambda: records.files).startswith(f"{tmp_path}/train.json: image files are needed, not MindRec")
