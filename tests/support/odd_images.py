"""Pictures of every kind that real data sets hold, whole, odd and broken."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image

HEIGHT, WIDTH = 30, 40


def smooth() -> Image.Image:
    """A picture of HEIGHT x WIDTH pixels with few details."""
    coarse = np.random.default_rng(5).integers(0, 256, (3, 4, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC)


def encoded(file_format: str, image: Image.Image, **options) -> bytes:
    """The content of a file of Pillow's format."""
    buffer = io.BytesIO()
    image.save(buffer, file_format, **options)
    return buffer.getvalue()


def _turned() -> bytes:
    exif = Image.Exif()
    exif[274] = 6  # orientation: turn by a quarter
    return encoded("JPEG", smooth(), exif=exif)


def readable_images() -> dict[str, bytes]:
    """{file name: content} of pictures that can be used."""
    image = smooth()
    deep = Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 256)
    return {
        "plain.jpg": encoded("JPEG", image),
        "progressive.jpeg": encoded("JPEG", image, progressive=True),
        "gray.jpg": encoded("JPEG", image.convert("L")),
        "cmyk.jpg": encoded("JPEG", image.convert("CMYK")),
        "turned.jpg": _turned(),
        "trailing.jpg": encoded("JPEG", image) + bytes(100),
        "plain.png": encoded("PNG", image),
        "palette.png": encoded("PNG", image.convert("P")),
        "transparent.png": encoded("PNG", image.convert("RGBA")),
        "deep.png": encoded("PNG", deep),
        "plain.bmp": encoded("BMP", image),
        "plain.ppm": encoded("PPM", image),
        "plain.tif": encoded("TIFF", image),
        "plain.webp": encoded("WEBP", image, lossless=True),
        "plain.gif": encoded("GIF", image.convert("P")),
    }


def broken_images() -> dict[str, bytes]:
    """{file name: content} of files that their ends show to be broken."""
    whole = readable_images()
    jpeg, png, webp = whole["plain.jpg"], whole["plain.png"], whole["plain.webp"]
    return {
        "empty.jpg": b"",
        "text.jpg": b"<html>404</html>",
        "cut.jpg": jpeg[: len(jpeg) // 2],
        "cut_head.jpg": jpeg[:60],
        "cut.png": png[: len(png) // 2],
        "cut.webp": webp[: len(webp) // 2],
    }


def damaged_within() -> dict[str, bytes]:
    """{file name: content} of files that only their decoding shows to be broken."""
    whole = readable_images()
    png, middle = bytearray(whole["plain.png"]), len(whole["plain.png"]) // 2
    png[middle] ^= 255
    floats = Image.fromarray(np.asarray(smooth().convert("L")).astype(np.float32))
    return {
        "flipped.png": bytes(png),
        "cut.bmp": whole["plain.bmp"][:1000],
        "float.tif": encoded("TIFF", floats),
    }


def write_files(folder: Path, contents: dict[str, bytes]) -> list[Path]:
    """Write them into `folder`; returns the paths."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return [folder / name for name in contents]
