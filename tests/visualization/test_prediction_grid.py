"""Prediction grids: layout, colours, and pixels that stay pixels."""

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from PIL import Image

from src.datasets.synthetic.digits import load_digits
from src.visualization import Prediction, picture_sheet, prediction_grid
from src.visualization.canvas import GREEN, PALE, RED

LABELS, PROBABILITIES = ["3", "8", "5", "1"], [0.7, 0.2, 0.06, 0.04]


def _digit(index, truth):
    image = np.repeat(np.uint8(load_digits()[0][index] * 15.9)[..., None], 3, axis=2)
    return Prediction(f"val/{index}.png", image, LABELS, PROBABILITIES, truth)


def _drawn(items, path, **options):
    prediction_grid(items, path, **options)
    return np.asarray(Image.open(path).convert("RGB"))


def _holds(pixels, color):
    return bool((pixels == np.round(np.array(to_rgb(color)) * 255)).all(-1).any())


@pytest.mark.parametrize(("truth", "color"), [("3", GREEN), ("8", RED), (None, None)])
def test_the_truth_is_green_when_right_red_when_wrong_and_absent_when_unknown(tmp_path, truth, color):
    pixels = _drawn([_digit(0, truth)], tmp_path / "grid.png")
    assert [_holds(pixels, other) for other in (GREEN, RED)] == [color == GREEN, color == RED]


def test_no_bar_reaches_its_percentage(tmp_path):
    items = [Prediction("a.png", np.zeros((8, 8, 3), np.uint8), [""], [1.0])]
    bars = (_drawn(items, tmp_path / "grid.png") == np.round(np.array(to_rgb(PALE)) * 255)).all(-1)
    assert bars[290:].any(0).nonzero()[0].max() == pytest.approx((0.13 + 0.77 * 1.9) * 130, abs=2)


@pytest.mark.parametrize(("num_items", "columns", "rows"), [(1, 1, 1), (6, 6, 1), (8, 4, 2), (13, 5, 3)])
def test_rows_are_filled_evenly(tmp_path, num_items, columns, rows):
    height, width, _ = _drawn([_digit(0, "3")] * num_items, tmp_path / "grid.png").shape
    assert width == pytest.approx(columns * 2.16 * 130, abs=1)
    assert height == pytest.approx((rows * 2.95 + 0.13) * 130, abs=1)


def test_only_the_first_items_are_drawn(tmp_path):
    pixels = _drawn([_digit(0, "3"), _digit(0, "8")], tmp_path / "grid.png", max_items=1)
    assert pixels.shape[1] == pytest.approx(2.16 * 130, abs=1)
    assert not _holds(pixels, RED)


def test_small_pictures_are_enlarged_without_blur(tmp_path):
    image = np.zeros((32, 32, 3), np.uint8)
    image[::2, ::2] = (255, 0, 255)
    pixels = _drawn([Prediction("a.png", image, ["x"], [1.0])], tmp_path / "grid.png")
    inside = pixels[30:250, 30:250].reshape(-1, 3)
    assert np.unique(inside, axis=0).tolist() == [[0, 0, 0], [255, 0, 255]]


def test_pictures_of_any_shape_and_names_of_any_script(tmp_path):
    items = [Prediction("图.png", np.zeros((600, 90, 3), np.uint8), ["金鱼", "$x"], [0.5, 0.5], "long " * 9)]
    assert _drawn(items, tmp_path / "grid.png").shape == (400, 280, 3)


def test_empty_list_is_refused(tmp_path):
    with pytest.raises(ValueError, match="no prediction"):
        prediction_grid([], tmp_path / "grid.png")


def test_captions_of_a_sheet_are_whole_and_colours_are_explained(tmp_path):
    picture, caption = np.zeros((8, 8, 3), np.uint8), "vegetation 39.5%, road 23.2%, building 12.1%, sky 9.9%"
    heights = []
    for name, captions, colors in (
        ("short", ["road"], ()),
        ("long", [caption], ()),
        ("key", [caption], [("road", (128, 64, 128))]),
    ):
        picture_sheet([picture], captions, tmp_path / f"{name}.png", colors)
        pixels = np.asarray(Image.open(tmp_path / f"{name}.png").convert("RGB"))
        heights.append(len(pixels))
    assert heights[1] - heights[0] == pytest.approx(0.17 * 130, abs=1)
    assert heights[2] > heights[1]
    assert (pixels == (128, 64, 128)).all(-1).any()
