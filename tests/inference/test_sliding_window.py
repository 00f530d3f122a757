"""Windows, scales and flips around any prediction."""

import numpy as np
import pytest

from src.datasets.transforms.joint import axis_samples
from src.inference.rows import Rows
from src.inference.sliding_window import Window, predict_scales, predict_windows, window_starts, windows


def _image(height, width):
    return np.random.default_rng(0).normal(size=(3, height, width)).astype(np.float32)


def test_a_cityscapes_image_has_eight_windows():
    assert window_starts(1024, 832) == [0, 192]
    assert window_starts(2048, 832) == [0, 555, 1110, 1216]  # the stride is ceil(832 * 2 / 3)
    assert windows(1024, 2048, 832)[5] == Window(192, 555, 1024, 1387)


@pytest.mark.parametrize(
    ("side", "window", "starts"),
    [(832, 832, [0]), (833, 832, [0, 1]), (500, 832, [0]), (10, 6, [0, 4]), (11, 6, [0, 4, 5]), (1, 1, [0])],
)
def test_the_last_window_is_flush_with_the_end(side, window, starts):
    assert window_starts(side, window) == starts


@pytest.mark.parametrize(("height", "width"), [(12, 12), (12, 31), (29, 17), (5, 40), (40, 5), (3, 4)])
@pytest.mark.parametrize("batch_size", [1, 4])
def test_what_is_predicted_pixel_by_pixel_comes_back_as_it_is(height, width, batch_size):
    image, calls = _image(height, width), []

    def predict(tiles):
        calls.append(tiles.shape)
        return tiles * 2 + 1

    found = predict_windows(predict, Rows.of(image), 12, batch_size=batch_size).whole()
    np.testing.assert_allclose(found, image * 2 + 1, atol=1e-5)
    assert found.dtype == np.float32
    assert set(calls) == {(batch_size, 3, 12, 12)}
    assert len(calls) == -(-len(windows(height, width, 12)) // batch_size)


def test_overlaps_are_means_of_their_windows():
    numbers = iter(range(10))

    def predict(tiles):
        return np.stack([np.full((1, 6, 6), next(numbers), np.float32) for _ in tiles])

    found = predict_windows(predict, Rows.of(_image(6, 14)), 6).whole()
    assert window_starts(14, 6) == [0, 4, 8]
    assert found[0, 0].tolist() == [0, 0, 0, 0, 0.5, 0.5, 1, 1, 1.5, 1.5, 2, 2, 2, 2]


def test_padding_is_zero_and_its_logits_do_not_count():
    image = np.ones((3, 4, 5), np.float32)

    def predict(tiles):
        assert tiles[0, 0].sum() == 20
        assert (tiles[0, :, 4:] == 0).all()
        assert (tiles[0, :, :, 5:] == 0).all()
        return np.where(tiles == 0, np.float32(np.nan), tiles)

    assert (predict_windows(predict, Rows.of(image), 8).whole() == image).all()


def test_scales_and_flips_are_averaged():
    image, seen = _image(8, 12), []

    def predict_image(rows):
        scaled = rows.whole()
        seen.append(scaled.shape)
        # One class knows where left is.
        left = np.broadcast_to(np.arange(scaled.shape[2], dtype=np.float32), scaled.shape[1:])
        return Rows.of(np.stack([scaled[0], left]))

    found = sum(each.whole() for each in predict_scales(predict_image, image, scales=(1.0, 1.5), flip=True)) / 2
    assert seen == [(3, 8, 12)] * 2 + [(3, 12, 18)] * 2
    assert found.shape == (2, 8, 12)
    np.testing.assert_allclose(found[1], (5.5 + 8.5) / 2, atol=1e-5)
    (alone,) = predict_scales(predict_image, image)
    assert (alone.whole()[0] == image[0]).all()


@pytest.mark.parametrize("size", [(16, 10), (4, 20), (8, 5)])
def test_resizing_is_that_of_the_training_data(size):
    planes = _image(8, 5)
    rows, columns = axis_samples(8, size[0] / 8, 0, size[0]), axis_samples(5, size[1] / 5, 0, size[1])
    upper, lower = planes[:, rows.low + rows.first], planes[:, rows.high + rows.first]
    mixed = upper + (lower - upper) * rows.weight[:, None]
    left, right = mixed[..., columns.low + columns.first], mixed[..., columns.high + columns.first]
    np.testing.assert_allclose(
        Rows.of(planes).resized(*size).whole(), left + (right - left) * columns.weight, atol=1e-6
    )


@pytest.mark.parametrize("band", [1, 5, 12, 29])
@pytest.mark.parametrize("scale", [0.5, 1.0, 1.5])
def test_rows_read_in_bands_are_those_read_at_once(band, scale):
    image, seen = _image(29, 17), []

    def predict(tiles):
        seen.append(len(tiles))
        return np.float32(np.cumsum(tiles, -1))  # what a window says depends on where it is

    def predict_image(rows):
        return predict_windows(predict, rows, 12, batch_size=3)

    (whole,) = predict_scales(predict_image, image, scales=(scale,), flip=True)
    expected, num_calls = whole.whole(), len(seen)
    seen.clear()
    (rows,) = predict_scales(predict_image, image, scales=(scale,), flip=True)
    bands = [rows.read(begin, min(begin + band, 29)) for begin in range(0, 29, band)]
    assert (np.concatenate(bands, 1) == expected).all()
    assert len(seen) == num_calls


def test_windows_hold_no_more_rows_than_a_band_and_a_window():
    means = predict_windows(lambda tiles: tiles, Rows.of(_image(400, 16)), 16).read.__self__
    held = []
    for begin in range(0, 400, 8):
        means.read(begin, begin + 8)
        held.append(means._total.shape[1])
    assert max(held) <= 8 + 16 + 8
