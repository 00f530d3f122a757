"""The images that a network was most and least right about."""

import numpy as np
import pytest

from src.tasks.classification.examples import Examples
from tests.support.images import write_noise

# Probabilities of class 0: 0.9, 0.2, 0.5 | 0.6, 0.3 and a row that fills up the batch.
FIRST = np.log([[0.9, 0.1], [0.2, 0.8], [0.5, 0.5]]).astype(np.float32)
SECOND = np.log([[0.6, 0.4], [0.3, 0.7], [0.99, 0.01]]).astype(np.float32)


@pytest.fixture
def examples(tmp_path):
    files = [write_noise(tmp_path / f"{number}.png", number) for number in range(6)]
    watched = Examples(files, ["cat", "dog"])
    watched(FIRST, np.array([0, 0, 1]), np.ones(3))
    watched(SECOND, np.array([1, 1, 0]), np.array([1, 1, 0]))
    return watched


def names(predictions):
    return [prediction.path[-5] for prediction in predictions]


def test_images_are_ranked_by_the_probability_of_their_truth(examples):
    """0.9 0.2 0.5 0.4 0.7; the sixth image counts no second time."""
    assert names(examples.best(1)) == ["0"]
    assert names(examples.worst(2)) == ["1", "3"]


def test_no_image_is_both_best_and_worst_and_none_of_the_best_is_wrong(examples):
    assert names(examples.best(9)) == ["0", "4"]  # image 2, of the better half, was taken for a cat
    assert names(examples.worst(9)) == ["1", "3", "2"]


def test_a_single_image_is_the_best_or_the_worst(tmp_path):
    for label, kinds in ((0, (1, 0)), (1, (0, 1))):
        watched = Examples([write_noise(tmp_path / "a.png", 0)], ["cat", "dog"])
        watched(FIRST[:1], np.array([label]), np.ones(1))
        assert (len(watched.best(3)), len(watched.worst(3))) == kinds


def test_an_example_is_a_prediction_with_its_picture(examples):
    (worst,) = examples.worst(1)
    assert (worst.labels, worst.truth) == (["dog", "cat"], "cat")
    assert worst.probabilities == pytest.approx([0.8, 0.2])
    assert (worst.image.shape, worst.image.dtype) == ((20, 24, 3), np.uint8)


def test_a_large_picture_comes_small(tmp_path):
    watched = Examples([write_noise(tmp_path / "a.png", 0, height=500, width=1000)], ["cat", "dog"])
    watched(FIRST[:1], np.array([0]), np.ones(1))
    assert watched.best(1)[0].image.shape == (112, 224, 3)


def test_a_picture_that_is_no_file_is_gray(tmp_path):
    watched = Examples([tmp_path / "in_an_archive.png"], ["cat", "dog"])
    watched(FIRST[:1], np.array([0]), np.ones(1))
    assert np.unique(watched.best(1)[0].image).tolist() == [200]
