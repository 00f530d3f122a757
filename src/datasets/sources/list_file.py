"""Image list files: one line `path label` per image."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from src.config import UserError
from src.datasets.sources.labelled import LabelledImages


def read_list(path: Path, root: Path, class_num: int, class_names: tuple[str, ...] | None = None) -> LabelledImages:
    """Read a list file.

    Args:
        path: UTF-8 text; each line has an image's path (spaces allowed) and its label, counted from 0; empty lines and
            lines that begin with # are skipped.
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
    if not files[0].is_file():
        raise UserError(f"{path}: its first image {files[0]} is missing: paths are relative to {root}")
    return LabelledImages(path, class_names or _class_names(files, labels), tuple(labels), tuple(files))


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot be read as a list of images: {error}") from None


def _parse(line: str, where: str, limit: int) -> tuple[str, int]:
    name, *rest = line.strip().rsplit(maxsplit=1)
    label = rest[0] if rest else ""
    if not label.removeprefix("-").isdecimal():
        raise UserError(f"{where}: no label in {line.strip()!r}: each line must be PATH LABEL")
    if not 0 <= int(label) < limit:
        raise UserError(f"{where}: label {label} is out of range: with {limit} classes, labels are 0 to {limit - 1}")
    return name, int(label)


def _class_names(files: list[Path], labels: list[int]) -> tuple[str, ...]:
    folders = defaultdict(set)
    for path, label in zip(files, labels, strict=True):
        folders[label].add(path.parent.name)
    names = {label: next(iter(found)) if len(found) == 1 else str(label) for label, found in folders.items()}
    if len(set(names.values())) < len(names):
        names = {}
    return tuple(names.get(label, str(label)) for label in range(max(labels) + 1))
