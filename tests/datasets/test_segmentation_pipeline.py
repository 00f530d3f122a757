"""Batches of scenes: the same from any number of workers, in any epoch, after any resume."""

from functools import partial

import mindspore.dataset as ds
import numpy as np
import pytest

from src.datasets.epochs import EpochDataset, EpochOrder
from src.datasets.pipeline import read_batches
from src.datasets.sampling import training_positions
from src.datasets.segmentation import TrainingScenes, WholeScenes, scene_batches, scene_by_scene
from src.datasets.sources.cityscapes import LABEL_FILES
from src.datasets.sources.cityscapes_classes import CITYSCAPES
from src.datasets.sources.scene_pairs import ScenePair
from src.datasets.transforms.joint import JointAugmentation, Normalization, create_normalization
from src.metrics import SegmentationMetric
from tests.support.few_scenes import write_gray, write_pair
from tests.support.user_errors import message_of

NUM_PAIRS, NUM_EPOCHS, NUM_STEPS, SIZE = 6, 4, 3, 24
AS_IT_IS = Normalization((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    root = tmp_path_factory.mktemp("scenes")
    return [write_pair(root, "train", number) for number in range(NUM_PAIRS)]


def _scenes(pairs, seed=1):
    augmentation = JointAugmentation(input_size=SIZE, color_jitter=0.2)
    normalization = create_normalization(True, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    return TrainingScenes(pairs, LABEL_FILES, augmentation, normalization, seed=seed)


def _positions(epoch, rank=0, num_ranks=1):
    return training_positions(NUM_PAIRS, seed=1, epoch=epoch, rank=rank, num_ranks=num_ranks, batch_size=2 // num_ranks)


def _epochs(pairs, num_workers, *, seed=1, first_epoch=0, first_batch=0):
    scenes = _scenes(pairs, seed)

    def build(epoch):
        return scene_batches(scenes, scenes.entries(_positions(epoch), epoch), 2, num_workers)

    return EpochDataset(build, scenes, NUM_STEPS, (seed, 0), first_epoch, first_batch)


def _read(dataset, num_epochs):
    return [
        (image.asnumpy().tobytes(), label.asnumpy().tobytes()) for _ in range(num_epochs) for image, label in dataset
    ]


def test_a_batch_is_images_with_their_train_ids(pairs):
    image, label = (column.asnumpy() for column in next(_epochs(pairs, 1)))
    assert (image.shape, image.dtype) == ((2, 3, SIZE, SIZE), np.float32)
    assert (label.shape, label.dtype) == ((2, SIZE, SIZE), np.int32)
    assert set(np.unique(label)) <= {*range(19), 255}


def test_workers_change_nothing(pairs):
    assert _read(_epochs(pairs, 1), 2) == _read(_epochs(pairs, 2), 2)


def test_no_global_state_is_drawn_from(pairs):
    expected = _read(_epochs(pairs, 1), 1)
    np.random.default_rng(3).random(5)
    ds.config.set_seed(77)
    assert _read(_epochs(pairs, 1), 1) == expected


def test_epochs_and_seeds_have_their_own_crops(pairs):
    batches = _read(_epochs(pairs, 1), 3) + _read(_epochs(pairs, 1, seed=2), 1)
    assert len(set(batches)) == 12


@pytest.mark.parametrize(("epoch", "batch"), [(0, 1), (1, 0), (1, 2)])
def test_a_resumed_run_sees_what_the_uninterrupted_one_sees(pairs, epoch, batch):
    resumed = _read(_epochs(pairs, 2, first_epoch=epoch, first_batch=batch), 2 - epoch)
    assert resumed == _read(_epochs(pairs, 1), 2)[epoch * NUM_STEPS + batch :]


def test_ranks_see_the_crops_of_one_process(pairs):
    scenes = _scenes(pairs)
    whole = scenes.entries(_positions(1), 1)
    shares = [scenes.entries(_positions(1, rank, 2), 1) for rank in range(2)]
    assert sorted(np.concatenate(shares)) == sorted(whole)
    assert all((scenes[entry][0] == _scenes(pairs)[entry][0]).all() for entry in whole)


def test_one_pipeline_over_all_epochs_gives_the_same(pairs):
    """The way of sink mode."""
    scenes = _scenes(pairs)
    order = EpochOrder(lambda epoch: scenes.entries(_positions(epoch), epoch), first_epoch=1)
    batches = scene_batches(scenes, order, 2, 2).create_tuple_iterator(num_epochs=2)
    assert _read(batches, 2) == _read(_epochs(pairs, 1, first_epoch=1), 2)


def test_an_image_smaller_than_the_crop_is_padded(tmp_path):
    pair = write_pair(tmp_path, "train", 1, height=8, width=12)
    augmentation = JointAugmentation(input_size=SIZE, scales=(1.0,), hflip=0)
    scenes = TrainingScenes([pair], LABEL_FILES, augmentation, AS_IT_IS, seed=1)
    image, label = scenes[0]
    assert (image[:, 8:] == 0).all()
    assert (image[:, :, 12:] == 0).all()
    assert (label[8:] == 255).all()
    assert (label[:, 12:] == 255).all()


def test_evaluation_sees_whole_images_in_order(pairs):
    scenes = WholeScenes([pairs[2], ScenePair(pairs[0].image, None), *pairs], LABEL_FILES, AS_IT_IS)
    batches = scene_by_scene(scenes, num_workers=2, timeout=0.0)
    (image, label), (_, no_label), *others = ((images[0], labels[0]) for images, labels in batches)
    noise = [np.random.default_rng(key).integers(0, 256, (24, 40, 3), dtype=np.uint8) for key in range(NUM_PAIRS)]
    assert (image == noise[2].transpose(2, 0, 1)).all()
    blocks = np.random.default_rng((2, 1)).integers(0, 34, (6, 10), dtype=np.uint8)
    assert (label == CITYSCAPES.to_classes(blocks.repeat(4, 0).repeat(4, 1))).all()
    assert (image.dtype, label.dtype) == (np.float32, np.int32)
    assert (no_label == 255).all()
    assert all((found == own.transpose(2, 0, 1)).all() for (found, _), own in zip(others, noise, strict=True))


@pytest.fixture
def broken(tmp_path):
    """A good pair and one whose label has a value that is no label id, and what a user reads then."""
    good, bad = (write_pair(tmp_path, "train", number) for number in (1, 2))
    write_gray(bad.label, np.full((24, 40), 40, np.uint8))
    ids = "(known: 0-33, 255)"
    return [good, bad], f"{bad.label}: value 40 is neither a class nor ignored {ids}: use the *_labelIds.png files"


@pytest.mark.parametrize("num_workers", [1, 2])
def test_a_file_that_cannot_be_used_is_named(broken, num_workers):
    pairs, message = broken
    scenes = _scenes(pairs)
    pipeline = scene_batches(scenes, np.arange(2), 1, num_workers)
    batches = read_batches(partial(pipeline.create_tuple_iterator), scenes, timeout=0.0)
    assert message_of(list, batches) == message
    assert (
        message_of(list, scene_by_scene(WholeScenes(pairs, LABEL_FILES, AS_IT_IS), num_workers, timeout=0.0)) == message
    )


# -- files that cannot be read


@pytest.fixture
def damaged(tmp_path):
    """Six pairs, of which the second has a damaged image and the fifth a damaged label."""
    pairs = [write_pair(tmp_path, "train", number) for number in range(NUM_PAIRS)]
    for path in (pairs[1].image, pairs[4].label):
        path.write_bytes(path.read_bytes()[:60])
    return pairs


def test_training_replaces_a_pair_that_cannot_be_read_in_every_epoch_alike(damaged):
    scenes = TrainingScenes(
        damaged, LABEL_FILES, JointAugmentation(input_size=SIZE), AS_IT_IS, seed=1, max_bad_images=0.4
    )
    samples = [[scenes[entry][0].tobytes() for entry in range(6 * epoch, 6 * epoch + 6)] for epoch in range(2)]
    substitutes = {bad: {row.index(row[bad]) if row.index(row[bad]) != bad else row.index(row[bad], bad + 1)
                         for row in samples} for bad in (1, 4)}  # fmt: skip
    assert all(len(found) == 1 and not found & {1, 4} for found in substitutes.values())
    assert scenes.faults == {damaged[1].image: "truncated", damaged[4].label: "truncated"}


def test_more_than_the_tolerated_share_ends_the_training(damaged):
    assert message_of(list, (_scenes(damaged)[entry] for entry in range(6))).startswith(
        f"max_bad_images 0: 1 of 6 training images cannot be read: {damaged[1].image} (truncated): "
    )


def test_in_evaluation_all_pixels_of_an_unreadable_image_are_wrong(damaged):
    scenes = WholeScenes(damaged, LABEL_FILES, AS_IT_IS)
    whole, metric = SegmentationMetric(19), SegmentationMetric(19)
    for index in range(NUM_PAIRS):
        _, label = scenes[index]
        truth = np.where(label < 0, -1 - label, label)
        predictions = np.where(truth == 255, 0, truth)[None]  # all right
        metric.update(predictions, label[None])
        if index not in (1, 4):
            whole.update(predictions, label[None])
        assert (label == 255).all() == (index == 4)
    lost = int((scenes[1][1] != 255).sum())
    assert lost > 0
    assert metric.compute().num_pixels == whole.compute().num_pixels + lost
    assert metric.compute().pixel_accuracy == whole.compute().num_pixels / metric.compute().num_pixels
