"""Pixels of image files of every kind, and why a file has none."""

import io
import re

import numpy as np
import pytest
from PIL import Image

from src.datasets.decoding import Unreadable, decode, read_image
from src.datasets.pipeline import read_images
from src.datasets.transforms.image import Preprocessing, evaluation_transforms
from tests.support.images import write_noise
from tests.support.odd_images import HEIGHT, WIDTH, broken_images, damaged_within, readable_images, write_files
from tests.support.user_errors import message_of

PLAIN = Preprocessing(image_size=8, crop_pct=1.0, interpolation="bilinear", mean=(0.0,) * 3, std=(1.0,) * 3)
REASONS = {
    "empty.jpg": "empty file",
    "text.jpg": "not an image",
    "cut.jpg": "truncated",
    "cut_head.jpg": "truncated",
    "cut.png": "truncated",
    "cut.webp": "damaged",
    "flipped.png": "damaged",
    "cut.bmp": "truncated",
    "float.tif": "floating-point pixels",
}


@pytest.mark.parametrize("name", readable_images())
def test_odd_images_are_read_as_pillow_reads_them(name):
    content = readable_images()[name]
    pixels = decode(content)
    with Image.open(io.BytesIO(content)) as image:
        # Pillow clips 16 bits, here the upper 8 are kept.
        expected = np.asarray(image) // 256 if image.mode.startswith("I") else np.asarray(image.convert("RGB"))
    expected = expected if expected.ndim == 3 else np.repeat(expected[..., None], 3, axis=2)
    assert (pixels.shape, pixels.dtype) == ((HEIGHT, WIDTH, 3), np.uint8)  # an orientation in a JPEG is not followed
    assert pixels.tolist() == expected.tolist()


def test_literal_pixels_come_as_rgb():
    pixels = np.array([[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [9, 8, 7]]], np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    assert decode(buffer.getvalue()).tolist() == pixels.tolist()


@pytest.mark.parametrize(("name", "reason"), REASONS.items())
def test_a_file_that_cannot_be_used_has_a_reason(tmp_path, name, reason):
    (path,) = write_files(tmp_path, {name: (broken_images() | damaged_within())[name]})
    with pytest.raises(Unreadable, match=f"^{reason}$"):
        read_image(path)


def test_damage_that_takes_the_frameworks_decoder_down_is_only_damage():
    """Small pictures with a few wrong bytes: about one in nine of them ended the process when the framework decoded."""
    random, outcomes = np.random.default_rng(1), {"read": 0, "refused": 0}
    for content in (readable_images()["plain.jpg"], readable_images()["progressive.jpeg"]):
        for _ in range(300):
            damaged = np.frombuffer(content, np.uint8).copy()
            damaged[random.integers(2, len(damaged), 4)] = random.integers(0, 256, 4)
            try:
                pixels = decode(damaged.tobytes())
                outcomes["read"] += pixels.ndim == 3 and pixels.shape[2] == 3
            except Unreadable:
                outcomes["refused"] += 1
    assert sum(outcomes.values()) == 600
    assert min(outcomes.values()) > 30


def test_a_thumbnails_end_is_not_the_images():
    thumbnail, image = readable_images()["plain.jpg"], io.BytesIO()
    Image.fromarray(np.random.default_rng(1).integers(0, 256, (90, 90, 3), dtype=np.uint8)).save(
        image, "JPEG", comment=thumbnail
    )
    with pytest.raises(Unreadable, match="truncated"):
        decode(image.getvalue()[:-500])


def test_a_header_of_a_giant_is_refused_before_its_pixels_are_made():
    content = bytearray(readable_images()["plain.bmp"])
    content[18:26] = (60_000).to_bytes(4, "little") * 2
    with pytest.raises(Unreadable, match=re.escape(f"more than {2 * Image.MAX_IMAGE_PIXELS} pixels")):
        decode(bytes(content))


def test_a_missing_file_and_a_folder_have_the_systems_reason(tmp_path):
    with pytest.raises(Unreadable, match="No such file or directory"):
        read_image(tmp_path / "gone.png")
    with pytest.raises(Unreadable, match="Is a directory"):
        read_image(tmp_path)


@pytest.mark.parametrize("name", REASONS)
def test_a_picture_to_predict_that_cannot_be_read_is_named(tmp_path, name):
    (path,) = write_files(tmp_path, {name: (broken_images() | damaged_within())[name]})
    good = write_noise(tmp_path / "good.png", 1)
    message = message_of(read_images, [good, path], evaluation_transforms(PLAIN))
    assert message == (
        f"{path}: cannot be read as an image ({REASONS[name]}): replace it with a JPEG, PNG, BMP, PPM, TIFF, GIF or "
        "WebP file, or remove it"
    )
