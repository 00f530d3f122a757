"""Random erasing of normalised images."""

import numpy as np
import pytest

from src.datasets.transforms.erasing import Erasing, draw_rectangle


def _erased(num_images=200, size=(30, 40), *, key=1, **settings):
    images = [np.full((3, *size), 7.0, np.float32) for _ in range(num_images)]
    Erasing(**settings)(images, np.random.default_rng(key))
    return np.stack(images)


@pytest.mark.parametrize(("probability", "low", "high"), [(0.0, 0, 0), (0.25, 0.15, 0.35), (1.0, 1, 1)])
def test_the_share_of_images(probability, low, high):
    assert low <= (_erased(probability=probability) != 7).any(axis=(1, 2, 3)).mean() <= high


def test_const_puts_zeros_into_one_rectangle():
    for image in _erased(num_images=20, probability=1.0, mode="const"):
        rows, columns = np.nonzero(image[0] == 0)
        inside = image[:, rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
        assert (inside == 0).all()
        assert (image == 7).sum() == image.size - inside.size


def test_pixel_puts_normal_noise():
    images = _erased(probability=1.0, mode="pixel")
    noise = images[images != 7]
    assert images.dtype == np.float32
    assert (noise.mean(), noise.std()) == (pytest.approx(0, abs=0.02), pytest.approx(1, abs=0.02))


def test_areas_and_aspects_are_the_papers():
    random = np.random.default_rng(1)
    boxes = np.array([draw_rectangle((100, 200), 1, random) for _ in range(500)])
    heights, widths = boxes[:, 1] - boxes[:, 0], boxes[:, 3] - boxes[:, 2]
    areas = heights * widths / 20000
    assert (0.018, 0.15) < (areas.min(), np.median(areas)) < (0.022, 0.18)
    assert areas.max() <= 0.34
    assert (heights / widths).min() == pytest.approx(0.3, rel=0.1)
    assert boxes.min() >= 0 and boxes[:, 1].max() <= 100 and boxes[:, 3].max() <= 200


def test_several_rectangles_share_the_area():
    single = (_erased(probability=1.0, mode="const") == 0).mean()
    several = (_erased(probability=1.0, mode="const", count=3) == 0).mean()
    assert several == pytest.approx(single, abs=0.03)


def test_a_rectangle_that_does_not_fit_is_none():
    assert draw_rectangle((1, 1000), 1, np.random.default_rng(1)) is None
    assert (_erased(size=(1, 1000), probability=1.0) == 7).all()
