"""Inspection of every image file of a data set: whether it can be read, and its unusual properties."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from src.datasets.decoding import UPRIGHT, Unreadable, orientation_of, read_image


@dataclass(frozen=True)
class ImageFacts:
    """Findings about one image file.

    Attributes:
        path: the file.
        fault: why it cannot be read; "" for a readable file, the only kind with the attributes below.
        size: width and height of the upright image, pixels; 0 when unknown.
        kind: JPEG, PNG, ...; "" when unknown.
        oddities: its unusual properties.
    """

    path: Path
    fault: str
    size: tuple[int, int] = (0, 0)
    kind: str = ""
    oddities: tuple[str, ...] = ()


def inspect_images(
    files: Sequence[Path], num_threads: int, progress: Callable[[Iterable], Iterable] = iter
) -> list[ImageFacts]:
    """The facts of each file, in order.

    Args:
        num_threads: files inspected in parallel.
        progress: wraps the loop over the files, for example tqdm.
    """
    with ThreadPoolExecutor(num_threads) as pool:
        return list(progress(pool.map(inspect_image, files)))


def inspect_image(path: Path) -> ImageFacts:
    """Decode a file as training does and read its header."""
    try:
        height, width = read_image(path).shape[:2]
    except Unreadable as fault:
        return ImageFacts(path, str(fault))
    with Image.open(path) as image:
        size, kind = (width, height), image.format or ""
        try:
            oddities = tuple(_oddities(image))
        except Exception:  # Pillow's EXIF readers raise many types
            oddities = ("with a header that Pillow cannot parse",)
        return ImageFacts(path, "", size, kind, oddities)


def num_oddities(facts: Iterable[ImageFacts]) -> Counter[str]:
    """{oddity: number of files that have it}"""
    return Counter(oddity for fact in facts for oddity in fact.oddities)


def _oddities(image: Image.Image) -> Iterable[str]:
    if image.mode == "CMYK":
        yield "CMYK, converted to RGB"
    if image.mode.startswith("I"):
        yield "16 bits per channel, of which the upper 8 are used"
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        yield "transparent, which is ignored"
    if getattr(image, "is_animated", False):
        yield "several frames, of which the first is used"
    if orientation_of(image) != UPRIGHT:
        yield "turned by their orientation tag, as viewers do"
