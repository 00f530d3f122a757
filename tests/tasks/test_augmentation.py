"""What the augmentation and loss keys mean together."""

import mindspore as ms
import mindspore.dataset as ds
import numpy as np
import pytest

from src.config import read_config
from src.datasets.transforms.image import Preprocessing
from src.tasks.classification.augmentation import (
    augmented_transforms,
    check_augmentation,
    check_loss,
    create_batch_step,
    create_training_loss,
    is_mixed,
    silent_loss_settings,
)
from tests.support.commands import TINY
from tests.support.user_errors import message_of

PREPROCESSING = Preprocessing(
    image_size=8, crop_pct=1.0, interpolation="bilinear", mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5)
)


def config(*words):
    return read_config(["--config_path", str(TINY), *map(str, words)]).config


def test_operators_in_their_order():
    augmented = config("--autoaugment", "rand-m9", "--color_jitter", 0.4)
    names = [type(operator).__name__ for operator in augmented_transforms(augmented, PREPROCESSING)]
    assert names == [
        *("RandomResizedCrop", "RandomHorizontalFlip", "RandomSelectSubpolicy", "RandomSelectSubpolicy"),
        *("RandomColorAdjust", "Normalize", "HWC2CHW"),
    ]


@pytest.mark.parametrize("name", ["mixup", "cutmix"])
def test_a_batch_of_one_cannot_be_mixed(name):
    assert message_of(check_augmentation, config(f"--{name}", 0.8, "--batch_size", 1), PREPROCESSING) == (
        f"{name} 0.8 mixes images of a batch, and batch_size is 1: give --batch_size 2 or more, or --mixup 0 --cutmix 0"
    )
    check_augmentation(config(f"--{name}", 0.8, "--batch_size", 2), PREPROCESSING)
    check_augmentation(config("--re_prob", 0.8, "--batch_size", 1), PREPROCESSING)


def test_an_unknown_policy_is_the_users_mistake():
    assert message_of(check_augmentation, config("--autoaugment", "rand-m12"), PREPROCESSING) == (
        "autoaugment: 'rand-m12' needs m in 0-10, n in 1-15, p in 0-1 and inc 0 or 1: give none, autoaugment, "
        "trivialaugment, or RandAugment as rand-m9-mstd0.5-inc1 (also n2: operations, p0.5)"
    )


def test_nothing_to_do_for_a_batch():
    assert create_batch_step(config(), rank=0, first_epoch=0) is None
    assert not is_mixed(config("--re_prob", 0.5))
    assert is_mixed(config("--cutmix", 1))


def _stepped(*words, rank=0, epoch=0):
    """[(images (4, 3, 6, 6), targets)] of two batches whose images show their labels."""
    labels = np.arange(8, dtype=np.int32)
    images = np.broadcast_to(labels.reshape(8, 1, 1, 1), (8, 3, 6, 6)).astype(np.float32)
    data = ds.NumpySlicesDataset({"image": images, "label": labels}, shuffle=False)
    data = data.batch(4, per_batch_map=create_batch_step(config(*words), rank, epoch))
    return list(data.create_tuple_iterator(num_epochs=1, output_numpy=True))


def test_a_batch_has_its_own_key():
    words = ("--re_prob", 1, "--mixup", 0.8)
    first, second = (image for image, _ in _stepped(*words))
    assert (_stepped(*words)[0][0] == first).all()
    others = (_stepped(*words, rank=1), _stepped(*words, epoch=1), _stepped(*words, "--seed", 2))
    images = [first, second - 4, *(batches[0][0] for batches in others)]
    assert len({image.tobytes() for image in images}) == 5


@pytest.mark.parametrize(("smooth", "least"), [(1, 0.01), (0, 0.0)])
def test_smoothing_is_in_the_mixed_targets_and_not_in_the_loss_again(smooth, least):
    words = ("--mixup", 0.8, "--use_label_smooth", smooth)
    ((_, targets), _) = _stepped(*words)
    assert targets.min() == pytest.approx(least)
    for name in ("ce", "ce_smooth", "ce_smooth_mixup", "bce"):
        assert create_training_loss(config(*words, "--loss_name", name)).label_smoothing == 0
        unmixed = create_training_loss(config("--use_label_smooth", smooth, "--loss_name", name))
        assert unmixed.label_smoothing == 0.1 * smooth


@pytest.mark.parametrize("name", ["ce", "ce_smooth", "ce_smooth_mixup", "soft_target", "bce"])
def test_each_loss_takes_mixed_targets(name):
    ((_, targets), _) = _stepped("--mixup", 0.8)
    loss = create_training_loss(config("--mixup", 0.8, "--loss_name", name))
    value = float(loss(ms.Tensor(np.zeros((4, 10), np.float32)), ms.Tensor(targets)).asnumpy())
    assert value == pytest.approx(np.log(2) if name == "bce" else np.log(10), rel=1e-5)


def test_a_loss_of_the_other_task_is_the_users_mistake():
    assert message_of(check_loss, config("--loss_name", "ohem")) == (
        "loss_name ohem is for segmentation networks: choose one of ce, ce_smooth, ce_smooth_mixup, soft_target, bce"
    )


def test_loss_settings_without_effect_are_named():
    words = ("--loss_name", "soft_target", "--bce_threshold", 0.2)
    assert silent_loss_settings(config(*words)) == [
        "label_smooth_factor has no effect: soft_target takes labels as they are, and nothing mixes them",
        "bce_threshold has no effect: loss_name is soft_target",
    ]
    assert silent_loss_settings(config(*words[:-2], "--mixup", 0.8)) == []
