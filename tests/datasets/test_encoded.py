"""What is wrong with an image file, from its ends and from the framework's decoder."""

import io

import numpy as np
import pytest
from mindspore.dataset import vision
from PIL import Image

from src.datasets.encoded import black_image, decoding_fault, read_encoded
from src.datasets.pipeline import read_images
from src.datasets.transforms import Preprocessing, evaluation_transforms
from tests.support.images import write_noise
from tests.support.odd_images import HEIGHT, WIDTH, broken_images, damaged_within, readable_images, write_files
from tests.support.user_errors import message_of

PLAIN = Preprocessing(image_size=8, crop_pct=1.0, interpolation="bilinear", mean=(0.0,) * 3, std=(1.0,) * 3)
REASONS = {
    "empty.jpg": "an empty file",
    "text.jpg": "no image",
    "cut.jpg": "cut off: a JPEG without its end",
    "cut_head.jpg": "cut off: a JPEG without its end",
    "cut.png": "cut off: a PNG without its end",
    "cut.webp": "damaged GIF or WebP",
}


@pytest.fixture(autouse=True)
def nothing_is_left_behind(tmp_path, monkeypatch):
    """The framework leaves copies of files that it fails on in the current folder."""
    place = tmp_path / "current"
    place.mkdir()
    monkeypatch.chdir(place)
    yield
    assert list(place.iterdir()) == []


@pytest.mark.parametrize("name", readable_images())
def test_odd_images_are_read_as_pillow_reads_them(tmp_path, name):
    (path,) = write_files(tmp_path, {name: readable_images()[name]})
    assert decoding_fault(path) == ""
    data, fault = read_encoded(path)
    assert fault == ""
    pixels = vision.Decode()(data)
    with Image.open(path) as image:
        # Pillow clips 16 bits, the framework keeps the upper 8.
        expected = np.asarray(image) // 256 if image.mode.startswith("I") else np.asarray(image.convert("RGB"))
    expected = expected if expected.ndim == 3 else np.repeat(expected[..., None], 3, axis=2)
    assert pixels.shape == (HEIGHT, WIDTH, 3)  # an orientation in the EXIF data is not followed
    assert np.abs(pixels.astype(int) - expected.astype(int)).max() <= 1


@pytest.mark.parametrize("name", broken_images())
def test_broken_files_are_known_by_their_ends(tmp_path, name):
    (path,) = write_files(tmp_path, {name: broken_images()[name]})
    assert read_encoded(path)[1] == decoding_fault(path) == REASONS[name]


@pytest.mark.parametrize("name", damaged_within())
def test_damage_within_is_found_by_decoding(tmp_path, name):
    (path,) = write_files(tmp_path, {name: damaged_within()[name]})
    assert read_encoded(path)[1] == ""
    assert decoding_fault(path) == "damaged, or of a kind that the framework does not decode"


def test_a_good_image_is_not_blamed_for_the_one_before(tmp_path):
    cut, good = write_files(
        tmp_path, {"a.jpg": broken_images()["cut_head.jpg"], "b.jpg": readable_images()["plain.jpg"]}
    )
    with pytest.raises(RuntimeError):
        vision.Decode()(np.fromfile(cut, np.uint8))
    assert decoding_fault(good) == ""
    for dump in cut.parent.glob("current/*"):
        dump.unlink()


def test_a_thumbnails_end_is_not_the_images(tmp_path):
    thumbnail, image = readable_images()["plain.jpg"], io.BytesIO()
    Image.fromarray(np.random.default_rng(1).integers(0, 256, (90, 90, 3), dtype=np.uint8)).save(
        image, "JPEG", comment=thumbnail
    )
    (path,) = write_files(tmp_path, {"a.jpg": image.getvalue()[:-500]})
    assert read_encoded(path)[1] == "cut off: a JPEG without its end"


def test_a_file_that_is_not_there(tmp_path):
    assert decoding_fault(tmp_path / "gone.png") == "No such file or directory"


def test_the_black_image_is_one_black_pixel():
    assert vision.Decode()(black_image()).tolist() == [[[0, 0, 0]]]


@pytest.mark.parametrize("name", [*broken_images(), *damaged_within()])
def test_a_picture_to_predict_that_cannot_be_read_is_named(tmp_path, name):
    contents = broken_images() | damaged_within()
    (path,) = write_files(tmp_path, {name: contents[name]})
    good = write_noise(tmp_path / "good.png", 1)
    message = message_of(read_images, [good, path], evaluation_transforms(PLAIN))
    assert message.startswith(f"{path}: cannot be read as an image (")
    assert message.endswith("): replace it by a JPEG, PNG, BMP, PPM, TIFF, GIF or WebP file, or remove it")
