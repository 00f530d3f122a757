"""The digits as an image folder."""

import numpy as np
import pytest
from PIL import Image

from src.datasets.sources.image_folder import scan_image_folder
from src.datasets.synthetic.digits import write_digits
from tests.support.user_errors import message_of


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data") / "digits"
    assert write_digits(folder, size=16) == {"train": 1437, "val": 360}
    return folder


def test_both_splits_have_all_classes_in_equal_shares(digits):
    train, val = scan_image_folder(digits / "train"), scan_image_folder(digits / "val")
    assert train.class_names == val.class_names == tuple("0123456789")
    assert np.bincount(train.labels).tolist() == [142, 146, 141, 147, 145, 145, 145, 143, 139, 144]
    assert np.bincount(val.labels).tolist() == [36, 36, 36, 36, 36, 37, 36, 36, 35, 36]


def test_no_digit_is_in_both_splits(digits):
    train, val = ({file.name for file in scan_image_folder(digits / split).files} for split in ("train", "val"))
    assert train & val == set()
    assert train | val == {f"{number:04d}.png" for number in range(1797)}


def test_a_digit_is_an_enlarged_rgb_picture(digits):
    with Image.open(next(digits.rglob("0000.png"))) as picture:
        assert (picture.mode, picture.size) == ("RGB", (16, 16))
        pixels = np.asarray(picture)
    assert (pixels[..., 0] == pixels[..., 2]).all()
    rim, inside = pixels[2:14, 4:7].max(), pixels[8, 8].max()
    assert (rim > 200, inside < 30) == (True, True)  # a zero


def test_the_source_is_credited(digits):
    assert "Alpaydin" in (digits / "CREDIT.txt").read_text()


def test_digits_that_are_there_stay_as_they_are(digits):
    times = {file: file.stat().st_mtime_ns for file in digits.rglob("*.png")}
    assert write_digits(digits, size=32) == {"train": 1437, "val": 360}
    assert {file: file.stat().st_mtime_ns for file in digits.rglob("*.png")} == times


def test_an_empty_folder_is_filled_and_a_foreign_one_refused(tmp_path):
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign/mine.txt").write_text("mine")
    assert message_of(write_digits, tmp_path / "foreign") == (
        f"{tmp_path}/foreign exists and is not a folder of digits: give another folder"
    )
    (tmp_path / "empty").mkdir()
    assert write_digits(tmp_path / "empty", size=8) == {"train": 1437, "val": 360}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty", "foreign"]
