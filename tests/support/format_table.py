"""A file for each cell of the table of formats in docs/data.md, and what becomes of it."""

from __future__ import annotations

import zlib

import numpy as np
from PIL import Image

from tests.support.odd_images import encoded, smooth

PAD = b"\0" * 77 + b"behind the end"
READ = "read"
HUGE = 60_000  # pixels along a side that a header promises


def picture() -> np.ndarray:
    """The pixels (H, W, 3) that every lossless case holds, upright."""
    return np.asarray(smooth())


def colour_cases() -> dict[tuple[str, str], tuple[bytes, str]]:
    """{(format, property): (content, "read" or why it is unreadable)} of images."""
    image = smooth()
    cases = {
        **{(name, "8 bits"): encoded(name, image) for name in ("JPEG", "PNG", "BMP", "PPM", "TIFF")},
        ("WebP", "8 bits"): encoded("WEBP", image, lossless=True),
        **{(name, "16 bits"): _deep(name) for name in ("PNG", "PPM", "TIFF")},
        **{(name, "palette"): encoded(name, _paletted()) for name in ("PNG", "BMP", "TIFF", "GIF")},
        **{(name, "transparency"): encoded(name, _transparent()) for name in ("PNG", "BMP", "TIFF")},
        ("GIF", "transparency"): encoded("GIF", _paletted(), transparency=3),
        ("WebP", "transparency"): encoded("WEBP", _transparent(), lossless=True, exact=True),
        **{(name, "orientation"): turned(name, 6) for name in ("JPEG", "PNG", "TIFF", "WebP")},
        ("JPEG", "animation"): encoded("MPO", image, save_all=True, append_images=[_other()]),
        **{(name, "animation"): _animated(name) for name in ("PNG", "TIFF", "GIF", "WebP")},
        **{(name, "CMYK"): encoded(name, image.convert("CMYK")) for name in ("JPEG", "TIFF")},
    }
    read = {key: (content, READ) for key, content in cases.items()}
    whole = {name: cases.get((name, "8 bits"), cases.get((name, "palette"))) for name in ENDINGS}
    padded = {(name, "padding"): (content + PAD, READ) for name, content in whole.items()}
    giants = {(name, "too large"): (content, TOO_LARGE) for name, content in _giants(whole).items()}
    return read | padded | giants | {(name, "float"): (_floats(name), FLOAT) for name in ("PPM", "TIFF")}


def label_cases() -> dict[str, tuple[bytes, str]]:
    """{property: (content, "read" or why it is unreadable)} of label files, whose values are `label_values()`."""
    values = Image.fromarray(label_values())
    paletted = values.copy()
    paletted.putpalette(np.arange(768).astype(np.uint8).tobytes())
    return {
        "8 bits": (encoded("PNG", values), READ),
        "palette": (encoded("PNG", paletted), READ),
        "transparency": (encoded("PNG", paletted, transparency=2), READ),
        "orientation": (turned("PNG", 6, values), READ),
        "animation": (encoded("PNG", values, save_all=True, append_images=[Image.new("L", values.size)]), READ),
        "padding": (encoded("PNG", values) + PAD, READ),
        "too large": (_giant_png(encoded("PNG", values)), TOO_LARGE),
        "16 bits": (encoded("PNG", Image.fromarray(label_values().astype(np.uint16))), "not an "),
        "float": (encoded("TIFF", Image.fromarray(label_values().astype(np.float32))), "not an "),
        "CMYK": (encoded("TIFF", smooth().convert("CMYK")), "not an "),
    }


ENDINGS = {"JPEG": ".jpg", "PNG": ".png", "BMP": ".bmp", "PPM": ".ppm", "TIFF": ".tif", "GIF": ".gif", "WebP": ".webp"}
TOO_LARGE, FLOAT = "more than 50331648 pixels, see max_image_pixels", "floating-point pixels"
# Storing turns the upright picture by the inverse of what a reader has to do.
STORED = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def turned(name: str, orientation: int, upright: Image.Image | None = None) -> bytes:
    """An upright picture, stored with this orientation tag."""
    upright = upright or smooth()
    stored = upright if STORED[orientation] is None else upright.transpose(STORED[orientation])
    exif = Image.Exif()
    exif[274] = orientation
    options = {"quality": 100, "subsampling": 0} if name == "JPEG" else {"lossless": True} if name == "WebP" else {}
    return encoded(name, stored, exif=exif, **options)


def label_values() -> np.ndarray:
    """The values (H, W) uint8, 0-18, of the labels beside `picture()`."""
    height, width = picture().shape[:2]
    return (np.arange(height * width).reshape(height, width) // 7 % 19).astype(np.uint8)


def _paletted() -> Image.Image:
    return smooth().quantize(200)


def _transparent() -> Image.Image:
    image = smooth()
    image.putalpha(Image.fromarray(label_values() * 13))
    return image


def _other() -> Image.Image:
    return Image.new("RGB", smooth().size, (255, 0, 0))


def _animated(name: str) -> bytes:
    options = {"lossless": True} if name == "WebP" else {}
    first = _paletted() if name == "GIF" else smooth()
    return encoded(name, first, save_all=True, append_images=[_other()], **options)


def _deep(name: str) -> bytes:
    """Grey, with a lower half of the 16 bits that must not matter."""
    return encoded(name, Image.fromarray(np.asarray(smooth().convert("L")).astype(np.uint16) * 256 + 200))


def _floats(name: str) -> bytes:
    return encoded(name, Image.fromarray(np.asarray(smooth().convert("L")).astype(np.float32)))


def _giants(whole: dict[str, bytes]) -> dict[str, bytes]:
    """Small files whose headers promise HUGE x HUGE pixels (WebP: its largest)."""
    side = HUGE.to_bytes(2, "big")
    jpeg, gif, bmp = bytearray(whole["JPEG"]), bytearray(whole["GIF"]), bytearray(whole["BMP"])
    frame = jpeg.index(b"\xff\xc0") + 5
    jpeg[frame : frame + 4] = side * 2
    gif[6:10] = side[::-1] * 2
    bmp[18:26] = HUGE.to_bytes(4, "little") * 2
    return {
        "JPEG": bytes(jpeg),
        "GIF": bytes(gif),
        "BMP": bytes(bmp),
        "PNG": _giant_png(whole["PNG"]),
        "PPM": b"P6 %d %d 255\n" % (HUGE, HUGE),
        "TIFF": _giant_tiff(whole["TIFF"]),
        "WebP": encoded("WEBP", Image.new("RGB", (16383, 3100)), quality=1, method=0),
    }


def _giant_png(content: bytes) -> bytes:
    header = b"IHDR" + HUGE.to_bytes(4, "big") * 2 + content[24:29]
    return content[:12] + header + zlib.crc32(header).to_bytes(4, "big") + content[33:]


def _giant_tiff(content: bytes) -> bytes:
    """Width and height (tags 256 and 257, of one short each) are the first entries of the directory."""
    changed = bytearray(content)
    start = int.from_bytes(content[4:8], "little") + 2
    for entry in range(2):
        place = start + 12 * entry + 8
        changed[place : place + 4] = HUGE.to_bytes(4, "little")
    return bytes(changed)
