"""Pixels of image files, and the reason where a file has none.

Threads of ours decode, not the framework's pipeline: a damaged file takes that pipeline down, some the whole process,
and a pipeline that follows a failed one can wait for ever.
"""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import simplejpeg
from PIL import Image

FORMATS = ("JPEG", "PNG", "BMP", "PPM", "TIFF", "GIF", "WEBP")


class Unreadable(ValueError):
    """The reason why an image file cannot be used, in a few words."""


def read_image(path: Path) -> np.ndarray:
    """The pixels (H, W, 3) uint8, RGB, of a file.

    Raises:
        Unreadable: it cannot be opened, or as `decode`.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise Unreadable(error.strerror or "cannot be opened") from None
    return decode(content)


def decode(content: bytes) -> np.ndarray:
    """The pixels (H, W, 3) uint8, RGB, of a file's content: of several frames the first, of 16 bits the upper 8.

    Transparency is dropped. An orientation in the EXIF data is followed in TIFF only.

    Raises:
        Unreadable: no image of FORMATS, cut off, damaged, or with pixels that are no colours.
    """
    if not content:
        raise Unreadable("an empty file")
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as image:
            return _decoded_jpeg(content, image) if image.format == "JPEG" else _as_rgb(image)
    except Unreadable:
        raise
    except Image.UnidentifiedImageError:
        raise Unreadable("no image") from None
    except Image.DecompressionBombError:
        raise Unreadable(f"more than {2 * Image.MAX_IMAGE_PIXELS} pixels") from None
    # Pillow's readers let many kinds of exceptions through on damaged files.
    except Exception as error:
        raise Unreadable("cut off" if "truncated" in str(error).lower() else "damaged") from None


def _decoded_jpeg(content: bytes, image: Image.Image) -> np.ndarray:
    """By libjpeg-turbo itself: Pillow's pixels in 0.7 of its time. Where that fails Pillow has the last word."""
    if image.mode in ("L", "RGB"):
        try:
            return simplejpeg.decode_jpeg(content, "RGB")
        except ValueError:
            pass
    return _as_rgb(image)


def _as_rgb(image: Image.Image) -> np.ndarray:
    if image.mode == "F":
        raise Unreadable("floating-point pixels")
    if not image.mode.startswith("I"):
        return np.asarray(image.convert("RGB"))
    gray = np.asarray(image)
    if gray.min() < 0 or gray.max() > 0xFFFF:
        raise Unreadable("pixels of more than 16 bits")
    return np.repeat((gray >> 8).astype(np.uint8)[..., None], 3, axis=2)
