"""Mixup and cutmix of a batch, on images of one level each: the level is the label."""

import numpy as np
import pytest

from src.datasets.transforms.mixing import Mix, Mixing, cut_box, smooth_targets


def _mixed(num_images=6, *, key=1, size=(8, 10), **settings):
    """(images (B, 3, H, W), targets (B, B)) of images whose levels are 0, 1, ... B - 1."""
    images = [np.full((3, *size), label, np.float32) for label in range(num_images)]
    mixing = Mixing(class_num=num_images, **settings)
    targets = mixing(images, [np.int32(label) for label in range(num_images)], np.random.default_rng(key))
    return np.stack(images), targets


def test_smoothing_spreads_over_all_classes():
    targets = smooth_targets([2, 0], 4, 0.2)
    assert targets.dtype == np.float32
    np.testing.assert_allclose(targets, [[0.05, 0.05, 0.85, 0.05], [0.85, 0.05, 0.05, 0.05]], rtol=1e-6)
    assert smooth_targets([1], 3, 0.0).tolist() == [[0, 1, 0]]


def test_mixup_of_literal_levels():
    plane = np.array([[1, 2], [3, 4]], np.float32)
    Mix(share=0.75).apply(plane, np.full((2, 2), 8, np.float32))
    assert plane.tolist() == [[2.75, 3.5], [4.25, 5.0]]


def test_cutmix_of_literal_levels():
    plane = np.ones((3, 4), np.float32)
    Mix(share=10 / 12, box=(1, 3, 2, 3)).apply(plane, np.full((3, 4), 8, np.float32))
    assert plane.tolist() == [[1, 1, 1, 1], [1, 1, 8, 1], [1, 1, 8, 1]]


def test_no_mix_leaves_the_image():
    plane = np.ones((2, 2), np.float32)
    Mix().apply(plane, np.zeros((2, 2), np.float32))
    assert plane.tolist() == [[1, 1], [1, 1]]


@pytest.mark.parametrize("mode", ["batch", "pair", "elem"])
@pytest.mark.parametrize("kind", [{"mixup": 1.0}, {"cutmix": 1.0}, {"mixup": 0.8, "cutmix": 1.0}])
def test_a_target_is_what_the_image_shows(mode, kind):
    """The mean level is the mean of the labels, weighted by the target: for mixup and cutmix alike."""
    for key in range(20):
        images, targets = _mixed(key=key, mode=mode, **kind)
        assert targets.shape == (6, 6) and targets.dtype == np.float32
        np.testing.assert_allclose(targets.sum(axis=1), 1, rtol=1e-6)
        np.testing.assert_allclose(images.mean(axis=(1, 2, 3)), targets @ np.arange(6), atol=1e-5)
        own = targets.diagonal()
        np.testing.assert_allclose(own + targets[np.arange(6), 5 - np.arange(6)], 1, rtol=1e-6)
        if mode != "elem":
            np.testing.assert_allclose(own, own[::-1], rtol=1e-6)
        assert len(set(own.round(5))) <= {"batch": 1, "pair": 3, "elem": 6}[mode]


@pytest.mark.parametrize(("mode", "distinct"), [("batch", 1), ("pair", 3), ("elem", 6)])
def test_how_often_a_share_is_drawn(mode, distinct):
    assert len(set(_mixed(mode=mode, mixup=1.0)[1].diagonal().tolist())) == distinct


@pytest.mark.parametrize("mode", ["batch", "pair", "elem"])
def test_the_odd_one_out_stays_itself(mode):
    images, targets = _mixed(5, mode=mode, mixup=1.0, cutmix=1.0)
    np.testing.assert_allclose(images[2], 2, rtol=1e-6)
    np.testing.assert_allclose(targets[2], [0, 0, 1, 0, 0], atol=1e-6)


def test_smoothing_comes_before_the_mixing():
    _, targets = _mixed(4, mixup=1.0, label_smoothing=0.2)
    _, plain = _mixed(4, mixup=1.0)
    np.testing.assert_allclose(targets, 0.8 * plain + 0.05, rtol=1e-5)


@pytest.mark.parametrize(("probability", "low", "high"), [(0.0, 0, 0), (0.3, 0.2, 0.4), (1.0, 1, 1)])
def test_the_share_of_batches_that_are_mixed(probability, low, high):
    shares = [_mixed(2, key=key, mixup=1.0, probability=probability)[1][0, 0] for key in range(200)]
    assert low <= np.mean(np.array(shares) < 1) <= high


@pytest.mark.parametrize(("switch_prob", "low", "high"), [(0.0, 0, 0), (0.5, 0.35, 0.6), (1.0, 0.75, 1)])
def test_the_share_of_cutmix(switch_prob, low, high):
    levels = [
        len(np.unique(_mixed(2, key=key, mixup=1.0, cutmix=1.0, switch_prob=switch_prob)[0][0])) for key in range(200)
    ]
    assert low <= np.mean(np.array(levels) == 2) <= high


def test_a_boxs_share_is_what_is_left_of_the_image():
    random = np.random.default_rng(1)
    boxes = [cut_box(0.25, (40, 60), random) for _ in range(300)]
    for mix in boxes:
        top, bottom, left, right = mix.box
        assert 0 <= top <= bottom <= 40 and 0 <= left <= right <= 60
        assert mix.share == 1 - (bottom - top) * (right - left) / 2400
    assert min(mix.share for mix in boxes) == 0.75  # a box that the border does not cut: 20 x 30
    assert cut_box(0.0, (40, 60), random).share == 1.0


@pytest.mark.parametrize(("alpha", "deviation"), [(0.2, 0.42), (1.0, 0.29), (8.0, 0.12)])
def test_shares_have_the_beta_distribution(alpha, deviation):
    shares = [_mixed(2, key=key, size=(1, 1), mixup=alpha)[1][0, 0] for key in range(1000)]
    assert np.mean(shares) == pytest.approx(0.5, abs=0.04)
    assert np.std(shares) == pytest.approx(deviation, abs=0.02)
