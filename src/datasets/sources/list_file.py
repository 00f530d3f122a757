"""Image list files: one line `path label` per image."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

from src.config import UserError
from src.datasets.sources.labelled import LabelledImages
from src.datasets.sources.picture_files import existing_form

MAX_DIGITS = 9
_LINE = re.compile(r"(.+?)[\s,;]\s*(-?[0-9]+)")


def read_list(path: Path, root: Path, class_num: int, class_names: tuple[str, ...] | None = None) -> LabelledImages:
    """Read a list file.

    Args:
        path: UTF-8 text, with or without byte order mark; each line has an image's path (spaces and commas allowed),
            then spaces, tabs, a comma or a semicolon, and its label, counted from 0; empty lines and lines that begin
            with # are skipped.
        root: folder to which the paths are relative; absolute paths are kept.
        class_num: upper limit of the labels, excluded.
        class_names: the training set's classes; None: a class is named after the folder of its images if they share
            one and no other class has the same name, else by its number.

    Raises:
        UserError: a line without a label, a label out of range, no line at all, or a missing first image.
    """
    limit = len(class_names) if class_names else class_num
    files, labels = [], []
    for number, line in enumerate(_lines(path), start=1):
        if line.strip() and not line.lstrip().startswith("#"):
            name, label = _parse(line, f"{path}:{number}", limit)
            files.append(root / name)
            labels.append(label)
    if not files:
        raise UserError(f"{path}: no images: each line must be PATH LABEL")
    files = _in_existing_form(files)
    if not files[0].is_file():
        raise UserError(f"{path}: its first image {files[0]} is missing: paths are relative to {root}")
    return LabelledImages(path, class_names or _class_names(files, labels), tuple(labels), tuple(files))


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot be read as a list of images: {error}") from None


def _parse(line: str, where: str, limit: int) -> tuple[str, int]:
    match = _LINE.fullmatch(line.strip())
    if match is None:
        raise UserError(f"{where}: no label in {line.strip()[:200]!r}: each line must be PATH LABEL")
    name, label = match.groups()
    if len(label) > MAX_DIGITS or not 0 <= int(label) < limit:
        shown = label[:MAX_DIGITS] + "..." * (len(label) > MAX_DIGITS)
        raise UserError(f"{where}: label {shown} is out of range: with {limit} classes, labels are 0 to {limit - 1}")
    return name, int(label)


def _in_existing_form(files: list[Path]) -> list[Path]:
    """The files in another Unicode form, or with other separators, if the first exists only so."""
    if files[0].is_file() or not existing_form(files[0]).is_file():
        return files
    return [existing_form(path) for path in files]


def _class_names(files: list[Path], labels: list[int]) -> tuple[str, ...]:
    folders = defaultdict(set)
    for path, label in zip(files, labels, strict=True):
        folders[label].add(path.parent.name)
    names = {label: next(iter(found)) if len(found) == 1 else str(label) for label, found in folders.items()}
    if len(set(names.values())) < len(names):
        names = {}
    return tuple(names.get(label, str(label)) for label in range(max(labels) + 1))
