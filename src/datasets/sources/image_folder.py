"""ImageNet-style folders: one folder of images per class."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from src.config import UserError
from src.datasets.sources.labelled import LabelledImages

IMAGE_ENDINGS = (".jpg", ".jpeg", ".png", ".bmp", ".ppm", ".gif", ".webp", ".tif", ".tiff")


def scan_image_folder(root: Path, class_names: tuple[str, ...] | None = None) -> LabelledImages:
    """List the images of a class folder, class by class, each class sorted by name.

    Args:
        root: folder with one sub-folder per class; hidden entries are skipped.
        class_names: the classes of the training set, in order; a folder may lack some of them. None: the sub-folders,
            sorted by name, each of which must hold images.

    Raises:
        UserError: no class folders, no images, a class without images, or a folder that is not in `class_names`.
    """
    folders = class_folders(root)
    foreign = sorted(set(folders) - set(class_names or folders))
    if foreign:
        others = f" (nor are {', '.join(foreign[1:6])})" if foreign[1:] else ""
        raise UserError(
            f"{root}: folder {foreign[0]} is not one of the {len(class_names or ())} training classes{others}"
        )
    if not any(folders.values()):
        raise UserError(f"{root}: no images found: expected one folder per class with {', '.join(IMAGE_ENDINGS)} files")
    empty = [name for name, files in folders.items() if not files]
    if class_names is None and empty:
        raise UserError(f"{root / empty[0]}: class folder without images: add images or remove the folder")
    return labelled_images(root, folders, class_names or tuple(folders))


def class_folders(root: Path) -> dict[str, list[Path]]:
    """{class folder: its images}, both sorted by name."""
    names = sorted(entry.name for entry in root.iterdir() if entry.is_dir() and not entry.name.startswith("."))
    return {name: _images_below(root / name) for name in names}


def labelled_images(root: Path, folders: dict[str, list[Path]], class_names: tuple[str, ...]) -> LabelledImages:
    """The images of `folders`, labelled by the position of their class in `class_names`."""
    pairs = [(path, label) for label, name in enumerate(class_names) for path in folders.get(name, ())]
    return LabelledImages(root, class_names, tuple(label for _, label in pairs), tuple(path for path, _ in pairs))


def find_pictures(text: str) -> list[Path]:
    """The picture files of the key `input`: comma-separated files and folders.

    Raises:
        UserError: an empty value, a missing path, or a folder without pictures.
    """
    names = [Path(name.strip()) for name in text.split(",") if name.strip()]
    if not names:
        raise UserError("input is empty: give --input PICTURE or --input FOLDER")
    files: list[Path] = []
    for path in names:
        if path.is_dir():
            found = _images_below(path)
            if not found:
                raise UserError(f"input: no pictures below {path} ({', '.join(IMAGE_ENDINGS)})")
            files += found
        elif path.is_file():
            files.append(path)
        else:
            raise UserError(f"input: {path} does not exist")
    return files


def short_names(files: Sequence[Path]) -> list[str]:
    """The names of files below the folder that they share: only the file's own name if all are in one folder."""
    paths = [file.absolute() for file in files]
    shared = os.path.commonpath([path.parent for path in paths])
    return [path.relative_to(shared).as_posix() for path in paths]


def _images_below(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in IMAGE_ENDINGS and path.is_file())
