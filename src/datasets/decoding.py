"""Decoder of image files, the only one: RGB pixels or label values, or the reason why a file has none.

Training, evaluation, prediction and checks of both tasks read through it, so a file is the same picture to all of them;
docs/data.md has the table of formats. This project's own threads decode, not the framework's pipeline: a damaged file
ends that pipeline, some files end the whole process, and a pipeline started after a failed one can wait forever.
"""

from __future__ import annotations

import errno
import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import simplejpeg
from PIL import Image, TiffImagePlugin

FORMATS = ("JPEG", "PNG", "BMP", "PPM", "TIFF", "GIF", "WEBP")
FORMAT_NAMES = "JPEG, PNG, BMP, PPM, TIFF, GIF or WebP"
EXIF_ORIENTATION = 274
UPRIGHT = 1
# A 50-megapixel camera's 8192 x 6144. Decoding takes up to 18 bytes per pixel (WebP), so that no file takes 1 GB.
MAX_PIXELS = 8192 * 6144
MAX_BYTES = 2**29
# Resized to 256 pixels, the shorter side would make the longer one 256 thousand: 200 MB.
MAX_ASPECT = 1000
# Each scan of a progressive JPEG passes over all pixels, and a small file can hold thousands; cameras and editors
# write about 10. Largest product of scans and pixels: some seconds.
MAX_SCANNED = 12 * MAX_PIXELS
# Pillow reads the text form of PPM by Python code, about a second per million pixels.
MAX_TEXT_PIXELS = 1_000_000

# JPEG markers; in compressed data, ff is followed by 00 or by one of the eight restart markers
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_START_OF_SCAN, _END_OF_IMAGE = 0xDA, 0xD9
_JPEG = ("JPEG", "MPO")  # MPO: several JPEG images in a file
# What a process or a machine lacks says nothing about the file.
_LACKS = (errno.EMFILE, errno.ENFILE, errno.ENOMEM)

_max_pixels = MAX_PIXELS


class Unreadable(ValueError):
    """The reason why an image file cannot be used, in a few words.

    Attributes:
        path: the file; None if only its content is known.
    """

    path: Path | None = None


def limit_pixels(max_pixels: int) -> None:
    """Set the largest number of pixels that this process decodes; a limit of its memory, like those of the system.

    From then on Pillow is silent about files that it reads in spite of a fault (odd meta data).
    """
    global _max_pixels
    _max_pixels = max_pixels
    Image.MAX_IMAGE_PIXELS = None  # Pillow's own limit warns, or refuses what the user allows
    # Once for the process: threads that decode share its filters.
    warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")


def read_image(path: Path) -> np.ndarray:
    """The pixels (H, W, 3) uint8, RGB, of a file, upright.

    Raises:
        Unreadable: the file cannot be opened, or see `decode`.
    """
    with _naming(path):
        return decode(read_content(path))


def read_labels(path: Path) -> tuple[np.ndarray, str]:
    """The values (H, W) uint8 of a label file as they are stored, upright, and its Pillow mode.

    Palette indices stay indices; one bit gives 0 and 1. The values of modes other than 1, L and P have no meaning.

    Raises:
        Unreadable: the file cannot be opened or decoded, see `decode`.
    """
    with _naming(path), _opened(read_content(path)) as image:
        image.load()
        values = np.asarray(image if image.mode in ("1", "L", "P") else image.convert("L"), np.uint8)
        return _upright(values, image), image.mode


def decode(content: bytes) -> np.ndarray:
    """The pixels (H, W, 3) uint8, RGB, of a file's content, upright.

    Of several frames the first, of 16 bits the upper 8; transparency is dropped.

    Raises:
        Unreadable: not an image of FORMATS, truncated, damaged, too large, or with pixels that are not colours.
    """
    with _opened(content) as image:
        pixels = _jpeg_pixels(content, image) if image.format in _JPEG else _rgb_pixels(image)
        return _upright(pixels, image)


def orientation_of(image: Image.Image) -> int:
    """The orientation 1-8 that is still to be applied; 1 if a damaged header does not tell it."""
    try:
        return image.getexif().get(EXIF_ORIENTATION, UPRIGHT)
    except Exception:  # Pillow's EXIF reader raises many types
        return UPRIGHT


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    try:
        yield
    except Unreadable as fault:
        fault.path = path
        raise


def read_content(path: Path) -> bytes:
    """The bytes of a file; Unreadable if it cannot be opened or is too large.

    OSError if too many files are open, or no memory is left.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise Unreadable(f"a file of more than {MAX_BYTES // 2**20} MiB")
        return path.read_bytes()
    except OSError as error:
        if error.errno in _LACKS:
            raise
        raise Unreadable(error.strerror or "cannot be opened") from None


@contextmanager
def _opened(content: bytes) -> Iterator[Image.Image]:
    """The image of a content, whose header has passed the limits; turns every error into an Unreadable."""
    if not content:
        raise Unreadable("empty file")
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as image:
            _check_size(image, content)
            yield image
    except (Unreadable, MemoryError):
        raise
    except Image.UnidentifiedImageError:
        raise Unreadable("not an image") from None
    except Image.DecompressionBombError:
        raise Unreadable(_too_large()) from None
    # Pillow's readers raise many types of exceptions on damaged files.
    except Exception as error:
        raise Unreadable("truncated" if "truncated" in str(error).lower() else "damaged") from None


def _check_size(image: Image.Image, content: bytes) -> None:
    pixels = max(image.width * image.height, _tile_pixels(image))
    if pixels > _max_pixels:
        raise Unreadable(_too_large())
    if max(image.size) > MAX_ASPECT * min(image.size):
        raise Unreadable(f"one side is more than {MAX_ASPECT} times the other")
    if image.format in _JPEG and pixels * _num_scans(content, pixels) > MAX_SCANNED:
        raise Unreadable("too many scans")
    if pixels > MAX_TEXT_PIXELS and image.tile and image.tile[0][0] == "ppm_plain":
        raise Unreadable(f"more than {MAX_TEXT_PIXELS} pixels as text")


def _num_scans(content: bytes, pixels: int) -> int:
    """Scans of a JPEG up to its end; what follows the end may be anything, such as the film of a motion photo."""
    scans, position = content.count(b"\xff\xda"), 2
    if pixels * scans <= MAX_SCANNED:  # only a suspicious file is walked through
        return scans
    scans = 0
    while match := _MARKER.search(content, position):
        marker = content[match.end() - 1]
        if marker == _END_OF_IMAGE:
            break
        scans += marker == _START_OF_SCAN
        position = match.end() + int.from_bytes(content[match.end() : match.end() + 2], "big")
    return scans


def _tile_pixels(image: Image.Image) -> int:
    """Pixels of a tile of a TIFF, which may be larger than its image."""
    tags = getattr(image, "tag_v2", {})
    sides = [tags.get(tag) for tag in (TiffImagePlugin.TILEWIDTH, TiffImagePlugin.TILELENGTH)]
    return sides[0] * sides[1] if all(isinstance(side, int) for side in sides) else 0


def _too_large() -> str:
    return f"more than {_max_pixels} pixels, see max_image_pixels"


def _jpeg_pixels(content: bytes, image: Image.Image) -> np.ndarray:
    """Decode with libjpeg-turbo directly: Pillow's pixels in 0.7 of the time. Pillow decodes what it refuses."""
    if image.mode in ("L", "RGB"):
        try:
            if simplejpeg.decode_jpeg_header(content)[1::-1] == image.size:
                return simplejpeg.decode_jpeg(content, "RGB")
        except ValueError:
            pass
    return _rgb_pixels(image)


def _rgb_pixels(image: Image.Image) -> np.ndarray:
    if image.tile and image.tile[0][0] == "ppm":
        return _deep_ppm(image)
    image.load()
    if image.mode == "F":
        raise Unreadable("floating-point pixels")
    if image.mode.startswith("I"):
        return _upper_bits(np.asarray(image))
    image.info.pop("transparency", None)  # dropped; a palette's would make Pillow warn
    return np.asarray(image if image.mode == "RGB" else image.convert("RGB"))


def _upper_bits(gray: np.ndarray) -> np.ndarray:
    if gray.min() < 0 or gray.max() > 0xFFFF:
        raise Unreadable("pixels of more than 16 bits")
    return np.repeat((gray >> 8).astype(np.uint8)[..., None], 3, axis=2)


def _deep_ppm(image: Image.Image) -> np.ndarray:
    """A binary PPM or PGM with another maximum than 255: Pillow's pixels; its own reader takes 2 microseconds each."""
    _, _, offset, (_, maximum) = image.tile[0]
    image.fp.seek(offset)
    kind, channels = np.dtype(np.uint8 if maximum < 256 else ">u2"), len(image.getbands())
    size = image.width * image.height * channels
    content = image.fp.read(size * kind.itemsize)
    if len(content) < size * kind.itemsize:
        raise Unreadable("truncated")
    full, shift = (0xFFFF, 8) if image.mode == "I" else (0xFF, 0)
    levels = np.rint(np.arange(maximum + 1) / maximum * full).astype(np.uint16) >> shift
    values = levels.astype(np.uint8).take(np.frombuffer(content, kind), mode="clip")
    pixels = values.reshape(image.height, image.width, channels)
    return np.repeat(pixels, 3 // channels, axis=2)


def _upright(pixels: np.ndarray, image: Image.Image) -> np.ndarray:
    """The pixels (H, W, ...) as a viewer shows them. Pillow itself has turned those of a TIFF."""
    turn = _TURNS.get(orientation_of(image))
    return np.ascontiguousarray(turn(pixels)) if turn else pixels


_TURNS = {
    2: lambda pixels: pixels[:, ::-1],
    3: lambda pixels: pixels[::-1, ::-1],
    4: lambda pixels: pixels[::-1],
    5: lambda pixels: pixels.swapaxes(0, 1),
    6: lambda pixels: np.rot90(pixels, -1),
    7: lambda pixels: np.rot90(pixels, 2).swapaxes(0, 1),
    8: lambda pixels: np.rot90(pixels, 1),
}
