"""Coloured maps, sheets, and files for the test server."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from src.datasets.sources.cityscapes import submission_name
from src.visualization import (
    SegmentedImage,
    color_map,
    error_map,
    overlay,
    segmentation_sheet,
    write_label_png,
    write_palette_png,
)
from src.visualization.segmentation import RIGHT, WRONG, _panels, colors_shown

PALETTE = ((128, 64, 128), (70, 130, 180))
CLASSES = np.array([[0, 1], [255, 0]])


def test_classes_have_their_colours_and_ignored_pixels_are_black():
    assert color_map(CLASSES, PALETTE).tolist() == [[[128, 64, 128], [70, 130, 180]], [[0, 0, 0], [128, 64, 128]]]


def test_an_overlay_leaves_ignored_pixels_as_they_are():
    image = np.full((2, 2, 3), 100, np.uint8)
    assert overlay(image, CLASSES, PALETTE, opacity=0.5)[:, 0].tolist() == [[114, 82, 114], [100, 100, 100]]


def test_errors_are_red_and_ignored_pixels_black():
    assert error_map(np.array([[0, 0], [1, 0]]), CLASSES, 2).tolist() == [
        [[225, 232, 228], [179, 55, 47]],
        [[0, 0, 0], [225, 232, 228]],
    ]


@pytest.mark.parametrize(("num_items", "has_truth"), [(1, True), (12, True), (2, False)])
def test_a_sheet_has_a_row_a_picture(tmp_path, num_items, has_truth):
    classes = np.zeros((20, 40), int)
    item = SegmentedImage("ulm_1", np.full((20, 40, 3), 90, np.uint8), classes, classes + 1 if has_truth else None)
    segmentation_sheet([item] * num_items, ("road", "sky"), PALETTE, tmp_path / "sheet.png")
    with Image.open(tmp_path / "sheet.png") as sheet:
        width, height = sheet.size
        colours = {tuple(colour) for colour in np.asarray(sheet.convert("RGB")).reshape(-1, 3)[::7]}
    assert width == round(3.4 * 130) * (4 if has_truth else 2)
    assert height / 130 == pytest.approx(min(num_items, 8) * 1.9 + 0.55, abs=0.02)
    assert (70, 130, 180) in colours or not has_truth


def test_the_key_explains_every_colour():
    classes = np.zeros((2, 2), int)
    truth = np.array([[0, 0], [0, 255]])
    shown = colors_shown([SegmentedImage("a", np.zeros((2, 2, 3)), classes, truth)], ("road", "sky"), PALETTE)
    assert shown == [("road", PALETTE[0]), ("ignored", (0, 0, 0)), ("right", RIGHT), ("wrong", WRONG)]
    assert colors_shown([SegmentedImage("a", np.zeros((2, 2, 3)), classes)], ("road", "sky"), PALETTE) == shown[:1]


def test_a_picture_is_captioned_by_what_it_is_sorted_by():
    classes = np.zeros((2, 2), int)
    panels = _panels(SegmentedImage("ulm " * 20, np.zeros((2, 2, 3)), classes, classes, 0.4321), PALETTE)
    assert [title for title, _ in panels] == [
        *("mIoU 43.2%:  ulm ulm ulm ulm ulm ulm ul…", "truth", "prediction", "errors")
    ]


def test_a_sheet_without_pictures_is_refused(tmp_path):
    with pytest.raises(ValueError, match="no segmentation to draw"):
        segmentation_sheet([], ("road", "sky"), PALETTE, tmp_path / "sheet.png")


def test_a_palette_png_has_classes_as_values(tmp_path):
    write_palette_png(tmp_path / "a.png", CLASSES, PALETTE)
    with Image.open(tmp_path / "a.png") as picture:
        assert (picture.mode, np.asarray(picture).tolist()) == ("P", CLASSES.tolist())
        assert np.asarray(picture.convert("RGB"))[0, 1].tolist() == [70, 130, 180]


def test_a_file_for_the_test_server_is_grey_with_label_ids(tmp_path):
    name = submission_name(Path("leftImg8bit/test/berlin/berlin_000000_000019_leftImg8bit.png"))
    assert name == "berlin_000000_000019_pred_labelIds.png"
    write_label_png(tmp_path / name, np.array([[7, 33], [23, 0]]))
    with Image.open(tmp_path / name) as picture:
        assert (picture.mode, np.asarray(picture).tolist()) == ("L", [[7, 33], [23, 0]])
