"""Decoder of image files: RGB pixels, or the reason why a file has none.

This project's own threads decode, not the framework's pipeline: a damaged file ends that pipeline, some files end the
whole process, and a pipeline started after a failed one can wait forever.
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
        Unreadable: the file cannot be opened, or see `decode`.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise Unreadable(error.strerror or "cannot be opened") from None
    return decode(content)


def decode(content: bytes) -> np.ndarray:
    """The pixels (H, W, 3) uint8, RGB, of a file's content: the first of several frames, the upper 8 of 16 bits.

    Transparency is dropped. EXIF orientation is applied to TIFF only.

    Raises:
        Unreadable: not an image of FORMATS, truncated, damaged, or with pixels that are not colours.
    """
    if not content:
        raise Unreadable("empty file")
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as image:
            return _decoded_jpeg(content, image) if image.format == "JPEG" else _as_rgb(image)
    except Unreadable:
        raise
    except Image.UnidentifiedImageError:
        raise Unreadable("not an image") from None
    except Image.DecompressionBombError:
        raise Unreadable(f"more than {2 * Image.MAX_IMAGE_PIXELS} pixels") from None
    # Pillow's readers raise many types of exceptions on damaged files.
    except Exception as error:
        raise Unreadable("truncated" if "truncated" in str(error).lower() else "damaged") from None


def _decoded_jpeg(content: bytes, image: Image.Image) -> np.ndarray:
    """Decode with libjpeg-turbo directly: Pillow's pixels in 0.7 of the time. Pillow decodes what it refuses."""
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
