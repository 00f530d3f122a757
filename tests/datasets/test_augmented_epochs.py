"""The whole augmented pipeline, with two workers: repeatable, the same after a resume, and in sink mode."""

import mindspore.dataset as ds
import numpy as np
import pytest

from src.config import read_config
from src.runtime.session import Session
from src.tasks.classification.task import ClassificationTask
from tests.support.commands import TINY
from tests.support.few_digits import write_few_digits

NUM_STEPS = 4
AUGMENTED = {
    "autoaugment": "rand-m9-mstd0.5-inc1",
    "color_jitter": 0.4,
    "re_prob": 0.25,
    "mixup": 0.8,
    "cutmix": 1.0,
    "mixup_mode": "elem",
}


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    return write_few_digits(tmp_path_factory.mktemp("digits"))


def _dataset(digits, *, epoch=0, batch=0, sink=False, rank=0, num_ranks=1, **settings):
    words = [f"--{key}={value}" for key, value in {**AUGMENTED, **settings}.items()]
    config = read_config(["--config_path", str(TINY), "--dataset_path", str(digits), *words]).config
    return ClassificationTask(config).training_dataset(Session("CPU", rank, num_ranks, ""), epoch, batch, sink=sink)


def _read(batches, num_epochs=1):
    return [tuple(column.asnumpy() for column in batch) for _ in range(num_epochs) for batch in batches]


def _same(first, second):
    return len(first) == len(second) and all(
        (image == other_image).all() and (target == other_target).all()
        for (image, target), (other_image, other_target) in zip(first, second, strict=True)
    )


def test_a_batch_has_images_and_soft_targets(digits):
    image, target = next(_dataset(digits))
    assert (image.shape, target.shape) == ((16, 3, 32, 32), (16, 10))
    assert (str(image.dtype), str(target.dtype)) == ("Float32", "Float32")
    np.testing.assert_allclose(target.asnumpy().sum(axis=1), 1, rtol=1e-5)
    assert target.asnumpy().min() == pytest.approx(0.01)  # label smoothing 0.1 over 10 classes


def test_without_mixing_the_labels_stay(digits):
    image, label = next(_dataset(digits, mixup=0, cutmix=0))
    assert (label.shape, str(label.dtype)) == ((16,), "Int32")


def test_a_run_repeats_itself(digits):
    first = _read(_dataset(digits), 2)
    np.random.default_rng(9).random(100)
    ds.config.set_seed(9)
    assert len(first) == 2 * NUM_STEPS
    assert _same(_read(_dataset(digits), 2), first)
    assert not _same(_read(_dataset(digits, seed=2), 2), first)


@pytest.mark.parametrize(("epoch", "batch"), [(0, 3), (1, 0), (1, 2)])
def test_a_resumed_run_sees_what_the_uninterrupted_one_sees(digits, epoch, batch):
    uninterrupted = _read(_dataset(digits), 2)
    resumed = _read(_dataset(digits, epoch=epoch, batch=batch), 2 - epoch)
    assert _same(resumed, uninterrupted[epoch * NUM_STEPS + batch :])


def test_sink_mode_mixes_each_epoch_by_its_own_key(digits):
    iterator = _dataset(digits, epoch=1, sink=True).create_tuple_iterator(num_epochs=2, do_copy=False)
    sunk = [target for _, target in _read(iterator, 2)]
    expected = [target for _, target in _read(_dataset(digits, epoch=1), 2)]
    assert all((left == right).all() for left, right in zip(sunk, expected, strict=True))
    assert len({target.tobytes() for target in sunk}) == 2 * NUM_STEPS


def test_ranks_mix_by_their_own_keys(digits):
    settings = {"mixup_mode": "batch", "cutmix": 0, "num_ranks": 2, "batch_size": 8}
    shares = [float(next(_dataset(digits, rank=rank, **settings))[1].asnumpy()[0].max()) for rank in (0, 1)]
    assert shares[0] != pytest.approx(shares[1])


def test_repeated_augmentation_shows_an_image_again_in_another_way(digits):
    settings = {"mixup": 0, "cutmix": 0, "repeated_augment": 4}
    batches = _read(_dataset(digits, **settings))
    assert len(batches) == NUM_STEPS
    for image, label in batches:
        assert (label.reshape(4, 4) == label.reshape(4, 4)[:, :1]).all()
        assert len({pixels.tobytes() for pixels in image}) == 16
