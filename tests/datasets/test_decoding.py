"""Pixels of image files of every kind, and why a file has none."""

import io
import resource
import struct

import numpy as np
import pytest
import simplejpeg
from PIL import Image

from src.datasets import decoding
from src.datasets.decoding import Unreadable, decode, limit_pixels, read_image
from src.datasets.pipeline import read_images
from src.datasets.transforms.image import Preprocessing, evaluation_transforms
from tests.support.images import write_noise
from tests.support.odd_images import HEIGHT, WIDTH, broken_images, damaged_within, readable_images, write_files
from tests.support.user_errors import message_of

SCAN, END = b"\xff\xda", b"\xff\xd9"  # JPEG markers
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
    with pytest.raises(Unreadable, match="more than 50331648 pixels, see max_image_pixels"):
        decode(bytes(content))


def test_the_limit_of_pixels_is_the_users(monkeypatch):
    monkeypatch.setattr(decoding, "_max_pixels", decoding.MAX_PIXELS)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    content = readable_images()["plain.png"]
    limit_pixels(HEIGHT * WIDTH)
    assert decode(content).shape == (HEIGHT, WIDTH, 3)
    limit_pixels(HEIGHT * WIDTH - 1)
    with pytest.raises(Unreadable, match=f"more than {HEIGHT * WIDTH - 1} pixels"):
        decode(content)


def test_a_tile_larger_than_its_image_counts():
    tags = {256: 8, 257: 8, 258: 8, 259: 8, 262: 1, 277: 1, 322: 60000, 323: 60000, 324: 8, 325: 8}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    content = b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(100)
    with pytest.raises(Unreadable, match="more than 50331648 pixels"):
        decode(content)


def test_a_jpeg_of_thousands_of_scans_is_refused():
    """Each pass over all pixels costs a fifth of a second here; the film behind a motion photo's end costs nothing."""
    content = io.BytesIO()
    Image.new("RGB", (4000, 3000)).save(content, "JPEG", progressive=True)
    whole = content.getvalue()
    last = whole[whole.rindex(SCAN) : -2]
    with pytest.raises(Unreadable, match="too many scans"):
        decode(whole[:-2] + last * 100 + END)
    assert decode(whole + SCAN * 1000).shape == (3000, 4000, 3)


def test_a_deep_ppm_has_pillows_pixels():
    """Pillow's own reader of these takes two microseconds a value."""
    random = np.random.default_rng(1)
    for kind, maximum in ((5, 100), (6, 100), (5, 1023), (6, 1023), (5, 65535), (6, 65535)):
        values = random.integers(0, maximum + 1, 6 * (1 if kind == 5 else 3)).astype(">u2" if maximum > 255 else "u1")
        content = b"P%d 3 2 %d\n" % (kind, maximum) + values.tobytes()
        with Image.open(io.BytesIO(content)) as image:
            expected = np.asarray(image)
        expected = expected >> 8 if image.mode == "I" else expected
        expected = np.repeat(expected[..., None], 3, 2) if kind == 5 else expected
        assert decode(content).tolist() == expected.tolist()
        with pytest.raises(Unreadable, match="truncated"):
            decode(content[:-1])


def test_a_line_whose_resize_would_take_gigabytes_is_refused():
    content = io.BytesIO()
    Image.new("RGB", (1, 50_000)).save(content, "PNG")
    with pytest.raises(Unreadable, match="one side is more than 1000 times the other"):
        decode(content.getvalue())


def test_a_large_ppm_of_text_is_refused():
    with pytest.raises(Unreadable, match="more than 1000000 pixels as text"):
        decode(b"P3 2000 2000 255\n" + b"1 " * 10)


def test_a_file_of_more_than_half_a_gigabyte_is_not_read(tmp_path):
    with open(tmp_path / "film.jpg", "wb") as file:
        file.truncate(decoding.MAX_BYTES + 1)
    with pytest.raises(Unreadable, match="a file of more than 512 MiB"):
        read_image(tmp_path / "film.jpg")


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


def test_a_machine_without_memory_is_not_blamed_on_the_file(monkeypatch):
    def exhausted(*_):
        raise MemoryError

    monkeypatch.setattr(simplejpeg, "decode_jpeg", exhausted)
    with pytest.raises(MemoryError):
        decode(readable_images()["plain.jpg"])


def test_nor_is_a_process_without_descriptors(tmp_path):
    image = write_noise(tmp_path / "a.png", 1)
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, limits[1]))
    try:
        with pytest.raises(OSError, match="Too many open files"):
            read_image(image)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    assert read_image(image).shape == (20, 24, 3)


# An orientation tag whose value lies behind the file's end.
BAD_EXIF = b"Exif\0\0II*\0" + struct.pack("<IHHHII", 8, 1, 0x0112, 2, 65535, 2**31 - 1)


def test_pillow_is_silent_about_files_that_it_reads(recwarn):
    limit_pixels(decoding.MAX_PIXELS)
    buffer = io.BytesIO()
    Image.new("RGB", (4, 3), "red").save(buffer, "JPEG", exif=BAD_EXIF)
    assert decode(buffer.getvalue()).shape == (3, 4, 3)
    assert [str(each.message) for each in recwarn] == []
