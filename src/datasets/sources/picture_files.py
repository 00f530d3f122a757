"""Picture files in folders and in the key `input`: which files count, and names in one Unicode form."""

from __future__ import annotations

import glob
import os
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from src.config import UserError

IMAGE_ENDINGS = (
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".bmp", ".ppm", ".pgm", ".pbm", ".pnm"),
    *(".gif", ".webp", ".tif", ".tiff"),
)
ARCHIVE_JUNK = "__MACOSX"  # resource forks in archives that were packed on a Mac
HIDDEN = "hidden file or folder", "hidden files or folders"
SEVERAL = "\n"  # between the values of `input` that were given one by one


@dataclass(frozen=True)
class Found:
    """Content of a folder, at any depth.

    Attributes:
        images: sorted.
        left_out: {kind, in singular and plural: number of files that were not taken}.
    """

    images: tuple[Path, ...] = ()
    left_out: Counter[tuple[str, str]] = field(default_factory=Counter)

    def __add__(self, other: Found) -> Found:
        return Found(self.images + other.images, self.left_out + other.left_out)


def find_images(folder: Path) -> Found:
    """The image files below a folder, by their endings; links to folders are followed, each folder once."""
    images, left_out = [], Counter()
    for path in _files_below(folder):
        if is_junk(path.name):
            left_out[HIDDEN] += 1
        elif path.suffix.lower() in IMAGE_ENDINGS:
            images += [path] * path.is_file()  # not a broken link, not a pipe
        else:
            ending = path.suffix or "without ending"
            left_out[f"file {ending}", f"files {ending}"] += 1
    return Found(tuple(sorted(images)), left_out)


def is_junk(name: str) -> bool:
    """Whether a file or folder is a system's own: hidden (._x.png, .ipynb_checkpoints), or an archive's by-product."""
    return name.startswith(".") or name == ARCHIVE_JUNK


def check_result_names(files: Iterable[Path]) -> None:
    """UserError if two pictures differ in their ending only: results in C++ are named without it."""
    seen: dict[Path, Path] = {}
    for file in files:
        other = seen.setdefault(file.with_suffix(""), file)
        if other != file:
            raise UserError(f"{other} and {file.name} would have results of one name: rename one")


def same_form(name: str) -> str:
    """A name in the composed Unicode form (NFC): macOS decomposes the names that other systems compose."""
    return unicodedata.normalize("NFC", name)


def existing_form(path: Path) -> Path:
    """A path that a list names, in the Unicode form and with the separators that exist on this system, if one does."""
    text = str(path)
    slashed = text.replace("\\", "/")
    forms = [unicodedata.normalize(form, written) for written in (text, slashed) for form in ("NFC", "NFD")]
    return next((Path(form) for form in (text, *forms) if os.path.exists(form)), path)


def find_pictures(text: str) -> list[Path]:
    """The picture files of the key `input`: files, folders and patterns, comma-separated or given one by one.

    A name that exists is taken whole, with its commas.

    Raises:
        UserError: an empty value, a missing path, or a folder or pattern without pictures.
    """
    names = [name for part in text.split(SEVERAL) for name in _split(part)]
    if not names:
        raise UserError("input is empty: give --input PICTURE or --input FOLDER")
    return [file for name in names for file in _pictures_of(name)]


def short_names(files: Sequence[Path]) -> list[str]:
    """The names of files, with that of their folder if they lie in several."""
    paths = [file.absolute() for file in files]
    is_one = len({path.parent for path in paths}) == 1
    return [path.name if is_one else f"{path.parent.name}/{path.name}" for path in paths]


def _split(text: str) -> Iterator[str]:
    """Comma-separated names, each the longest that exists."""
    parts = text.split(",")
    while parts:
        lengths = range(len(parts), 0, -1)
        taken = next((number for number in lengths if _exists(",".join(parts[:number]).strip())), 1)
        name = ",".join(parts[:taken]).strip()
        if name:
            yield name
        del parts[:taken]


def _exists(name: str) -> bool:
    return bool(name) and (os.path.exists(name) or bool(glob.glob(name)))


def _pictures_of(name: str) -> list[Path]:
    path = Path(name)
    if path.is_dir():
        found = list(find_images(path).images)
        if not found:
            raise UserError(f"input: no pictures below {path} ({', '.join(IMAGE_ENDINGS)})")
        return found
    if path.is_file():
        return [path]
    matches = sorted(glob.glob(name, recursive=True))
    if not matches:
        fault = "matches no file" if glob.has_magic(name) else "does not exist"
        raise UserError(f"input: {path} {fault}")
    return [file for match in matches for file in _pictures_of(match)]


def _files_below(folder: Path) -> Iterator[Path]:
    """All files at any depth, and the folders that are passed over."""
    seen = set()
    for place, folders, files in os.walk(folder, followlinks=True):
        own = os.path.realpath(place)
        if own in seen:  # a link to a folder that holds it
            folders.clear()
            continue
        seen.add(own)
        yield from (Path(place, name) for name in (*files, *filter(is_junk, folders)))
        folders[:] = sorted(name for name in folders if not is_junk(name))
