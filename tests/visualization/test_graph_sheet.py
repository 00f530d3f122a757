"""Sheets of graphs: marks stand where they should, in the right colour."""

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from PIL import Image

from src.visualization import GraphRow, Look, graph_sheet
from src.visualization.graph import COLORS, GAP, HEADER, LABEL, MARGIN, PICTURE, muted

DPI = 130
PLAIN = np.full((32, 32, 3), 40, np.uint8)
BOX = (0.25, 0.25, 0.125, 0.125)


def sheet(path, *rows, image=PLAIN):
    graph_sheet(image, "title", ["a", "b\nc"][: len(rows[0].looks)], rows, "legend", path)
    return np.asarray(Image.open(path).convert("RGB")).astype(int)


def at(pixels, row, column, *, sheet_row=0, sheet_column=0):
    """The pixel at a place of a picture, given as shares of its sides."""
    top = MARGIN + HEADER + sheet_row * (PICTURE + GAP) + row * PICTURE
    left = MARGIN + LABEL + sheet_column * (PICTURE + GAP) + column * PICTURE
    return pixels[round(top * DPI), round(left * DPI)].tolist()


def rgb(color):
    return [round(255 * channel) for channel in to_rgb(color)]


def near(pixel, color):
    return np.abs(np.subtract(pixel, color)).max() <= 12


def test_points_and_lines_to_them(tmp_path):
    points = np.array([[0.75, 0.5, 1.0], [0.1, 0.9, 0.25]])
    pixels = sheet(tmp_path / "a.png", GraphRow("one", 0, [Look(BOX, points)]), GraphRow("two", 1, [Look(BOX, points)]))
    for row, color in enumerate(COLORS[:2]):
        for place in points[:, :2]:
            assert near(at(pixels, *place, sheet_row=row), rgb(color))
        half_way = (np.array([0.3125, 0.3125]) + points[0, :2]) / 2
        red, green, blue = np.subtract(at(pixels, *half_way, sheet_row=row), 32)
        assert (red > 60) if row == 0 else (blue > 60)
        assert at(pixels, 0.9, 0.1, sheet_row=row) == [32, 32, 32]  # 0.8 of 40


def test_the_node_is_framed(tmp_path):
    pixels = sheet(tmp_path / "a.png", GraphRow("one", 2, [Look(BOX)]))
    on_the_edge = at(pixels, 0.25, 0.3125)
    assert near(on_the_edge, rgb(COLORS[2])), on_the_edge
    outside = at(pixels, 0.25 - 1.6 / (PICTURE * DPI), 0.3125)
    assert min(outside) > 90  # the white rim
    assert at(pixels, 0.3125, 0.3125) == [40, 40, 40]  # nothing is looked at: the picture as it is


def test_shades_follow_the_weights(tmp_path):
    shade = np.full((4, 4), np.nan)
    shade[3, 3], shade[3, 2], shade[3, 0] = 0.8, 0.1, 0.0
    pixels = sheet(tmp_path / "a.png", GraphRow("one", 0, [Look(BOX, shade=shade)]))
    reds = [at(pixels, 0.875, column)[0] for column in (0.875, 0.625, 0.125, 0.375)]
    # The mean is 0.3: the largest is full, and what is below 0.3 / (0.8 / 0.3) has the least opacity.
    opacities = [0.8, 0.2, 0.2]
    np.testing.assert_allclose(reds[:3], [32 + opacity * (255 - 32) for opacity in opacities], atol=2)
    assert reds[3] == 32


def test_equal_weights_do_not_look_strong(tmp_path):
    pixels = sheet(tmp_path / "a.png", GraphRow("one", 0, [Look(BOX, shade=np.full((4, 4), 0.2))]))
    assert at(pixels, 0.8, 0.8)[0] == pytest.approx(32 + 0.4 * (255 - 32), abs=2)


def test_outlines_and_empty_places(tmp_path):
    look = Look(BOX, outlines=[(0.5, 0.5, 0.25, 0.25)])
    pixels = sheet(tmp_path / "a.png", GraphRow("one", 1, [look, None]))
    assert near(at(pixels, 0.5, 0.625), rgb(COLORS[1]))
    assert at(pixels, 0.625, 0.625) == [32, 32, 32]
    assert at(pixels, 0.5, 0.5, sheet_column=1) == [255, 255, 255]


def test_pixels_of_small_pictures_stay_pixels(tmp_path):
    image = np.zeros((32, 32, 3), np.uint8)
    image[16:, 16:] = 200
    pixels = sheet(tmp_path / "a.png", GraphRow("one", 0, [Look(BOX)]), image=image)
    below = [at(pixels, 0.49 + step * 0.005, 0.75)[0] for step in range(5)]
    assert set(below) == {0, 200}


def test_muted():
    assert muted(np.array([[[255, 0, 0], [90, 90, 90]]], np.uint8)).tolist() == [[[136, 34, 34], [72, 72, 72]]]
