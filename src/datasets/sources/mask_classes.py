"""Classes of a masks data set as a LabelTable: classes.txt or classes.json in its folder."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from src.config import UserError
from src.datasets.sources.label_colors import complete_palette, lab
from src.datasets.sources.label_table import MAX_CLASSES, Color, LabelTable

FILES = ("classes.json", "classes.txt")
_INTEGER = re.compile(r"-?[0-9]{1,9}")
SEEN_APART = 10.0  # distance in CIE Lab below which two palette colours of a PNG count as equal


def classes_file(root: Path) -> Path | None:
    """The folder's file of classes, None without one; UserError if it has both."""
    found = [root / name for name in FILES if (root / name).is_file()]
    if len(found) > 1:
        raise UserError(f"{root} has both {' and '.join(FILES)}: keep one")
    return found[0] if found else None


def read_classes(path: Path, ignore_label: int, example: Path | None = None) -> LabelTable:
    """The table from a classes.txt or classes.json.

    Args:
        ignore_label: the ignored value of the masks, 0-255.
        example: a mask whose palette, if any, gives the colours when the file gives none.

    Raises:
        UserError: an invalid line or entry, a duplicate name or value, no or too many classes, or a class with
            the ignored value.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        raise UserError(f"{path}: cannot be read: write it as UTF-8 text") from None
    rows = _json_rows(text, path) if path.suffix == ".json" else _text_rows(text, path)
    names, colors, ids = ([row[part] for row in rows] for part in range(3))
    _check(path, names, ids, ignore_label)
    if not any(colors) and example is not None:
        colors = _palette_of(example, ids) or colors
    return LabelTable(tuple(names), complete_palette(colors), tuple(ids), (ignore_label,))


_Row = tuple[str, Color | None, int]


def _check(path: Path, names: list[str], ids: list[int], ignore_label: int) -> None:
    if not 1 <= len(names) <= MAX_CLASSES:
        raise UserError(f"{path}: {len(names)} classes: list 1 to {MAX_CLASSES}, one per line (or JSON object)")
    for what, values in (("class", names), ("value", ids)):
        twice = next((value for value in values if values.count(value) > 1), None)
        if twice is not None:
            raise UserError(f"{path}: {what} {twice} appears twice: rename or remove one")
    if ignore_label in ids:
        name = names[ids.index(ignore_label)]
        raise UserError(f"{path}: class {name} has the ignored value {ignore_label}: give another --ignore_label")


# -- classes.txt


def _text_rows(text: str, path: Path) -> list[_Row]:
    """One line `name` or `name R G B` per class; blank lines are skipped."""
    lines = [(number, line.split()) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    return [(*_named_color(words, f"{path}, line {number}"), value) for value, (number, words) in enumerate(lines)]


def _named_color(words: list[str], place: str) -> tuple[str, Color | None]:
    last = words[-3:]
    if len(words) < 4 or not all(_INTEGER.fullmatch(word) for word in last):
        return " ".join(words), None
    return " ".join(words[:-3]), _color([int(word) for word in last], place)


def _color(values: Any, place: str) -> Color:
    fine = isinstance(values, list) and len(values) == 3 and all(type(v) is int and 0 <= v <= 255 for v in values)
    if not fine:
        raise UserError(f"{place}: {values} is not a colour: give red, green and blue as whole numbers from 0 to 255")
    return tuple(values)


# -- classes.json


def _json_rows(text: str, path: Path) -> list[_Row]:
    """A list of {"name": ..., "color": [R, G, B], "id": value in the masks}; the last two are optional."""
    try:
        entries = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path}: not valid JSON: {error}") from None
    if not isinstance(entries, list):
        raise UserError(f'{path}: not a list: write [{{"name": "road", "color": [128, 64, 128]}}, ...]')
    return [_json_row(entry, index, f"{path}, entry {index}") for index, entry in enumerate(entries)]


def _json_row(entry: Any, index: int, place: str) -> _Row:
    known = {"name", "color", "id"}
    if (
        not isinstance(entry, dict)
        or not str(entry.get("name") or "").strip()
        or not isinstance(entry["name"], str)
        or entry.keys() - known
    ):
        raise UserError(f'{place}: write {{"name": text}}, optionally with "color": [R, G, B] and "id": value')
    value, color = entry.get("id", index), entry.get("color")
    if type(value) is not int or not 0 <= value <= 255:
        raise UserError(f"{place}: id {value} is not a value of an 8-bit mask: give a whole number from 0 to 255")
    return entry["name"], None if color is None else _color(color, place), value


# -- the palette of a PNG


def _palette_of(mask: Path, ids: list[int]) -> list[Color] | None:
    """The colours of these values in a palette PNG; None without a palette, or if two of them look equal."""
    try:
        with Image.open(mask) as picture:
            palette = picture.getpalette("RGB") if picture.mode == "P" else None
    except (OSError, SyntaxError, ValueError):
        return None
    if palette is None or len(palette) < 3 * (max(ids) + 1):
        return None
    colors = [tuple(palette[3 * value : 3 * value + 3]) for value in ids]
    places = lab(np.array(colors))
    distances = np.linalg.norm(places[:, None] - places, axis=-1) + 1e9 * np.eye(len(colors))
    return colors if distances.min() >= SEEN_APART else None
