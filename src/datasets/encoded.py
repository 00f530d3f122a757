"""Image files as the bytes that the framework decodes, and what is wrong with them."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from mindspore.dataset import vision
from PIL import Image

END_LENGTH = 64  # bytes at a file's end where its end marker is expected
JPEG, PNG, GIF = b"\xff\xd8\xff", b"\x89PNG", b"GIF8"
OTHERS = (b"BM", b"P5", b"P6", b"II*\0", b"MM\0*")  # BMP, PGM, PPM, TIFF: without an end marker
# The framework leaves a copy of a JPEG that it fails on in the current folder.
DUMP = Path("abnormal_image.jpg")


def read_encoded(path: Path) -> tuple[np.ndarray, str]:
    """(bytes for the framework's decoder, what is wrong with them or "").

    GIF (its first frame) and WebP, which that decoder does not know, come as PPM. JPEG and PNG are looked at from both
    ends, which takes microseconds where decoding takes milliseconds and finds the files that a broken copy leaves.
    """
    try:
        data = np.fromfile(path, np.uint8)
    except OSError as error:
        return np.zeros(0, np.uint8), error.strerror or "cannot be opened"
    head = data[:12].tobytes()
    if head.startswith(GIF) or (head[:4] == b"RIFF" and head[8:] == b"WEBP"):
        return _as_ppm(data)
    return data, _fault_of_ends(data, head)


def decoding_fault(path: Path) -> str:
    """Why an image file cannot be used, "" when it can: the framework's decoder has the last word."""
    data, fault = read_encoded(path)
    if fault:
        return fault
    # After some broken files the framework fails on the next good one, too: only a repeated failure counts.
    if _decodes(data) or _decodes(data):
        return ""
    return "damaged, or of a kind that the framework does not decode"


def black_image() -> np.ndarray:
    """One black pixel, encoded: it stands where an image cannot be read."""
    return np.frombuffer(b"P6 1 1 255\n\0\0\0", np.uint8).copy()


def _fault_of_ends(data: np.ndarray, head: bytes) -> str:
    end = data[-END_LENGTH:].tobytes()
    if head.startswith(JPEG):
        # Something may follow the image; what lies in the first half is the thumbnail's end.
        whole = b"\xff\xd9" in end or data.tobytes().rfind(b"\xff\xd9") > len(data) // 2
        return "" if whole else "cut off: a JPEG without its end"
    if head.startswith(PNG):
        return "" if b"IEND" in end else "cut off: a PNG without its end"
    if head.startswith(OTHERS):
        return ""
    return "no image" if len(data) else "an empty file"


def _as_ppm(data: np.ndarray) -> tuple[np.ndarray, str]:
    buffer = io.BytesIO()
    try:
        with Image.open(io.BytesIO(data.tobytes())) as image:
            image.convert("RGB").save(buffer, "PPM")
    except (
        OSError,
        ValueError,
        SyntaxError,
        EOFError,
        Image.DecompressionBombError,
    ):  # what Pillow raises on damaged data
        return data, "damaged GIF or WebP"
    return np.frombuffer(buffer.getvalue(), np.uint8).copy(), ""


def _decodes(data: np.ndarray) -> bool:
    try:
        vision.Decode()(data)
    except RuntimeError:
        if DUMP.is_file() and DUMP.read_bytes() == data.tobytes():
            DUMP.unlink(missing_ok=True)
        return False
    return True
