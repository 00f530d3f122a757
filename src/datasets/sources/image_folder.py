"""ImageNet-style folders: one folder of images per class."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from src.config import UserError
from src.config.errors import counted, few_names
from src.datasets.sources.imagenet import class_of_folder
from src.datasets.sources.labelled import LabelledImages
from src.datasets.sources.picture_files import HIDDEN, IMAGE_ENDINGS, Found, find_images, is_junk, same_form
from src.runtime.terminal import printable


def scan_image_folder(root: Path, class_names: tuple[str, ...] | None = None) -> LabelledImages:
    """List the images of a class folder, class by class, each class sorted by name.

    Args:
        root: folder with one sub-folder per class; hidden entries and __MACOSX are skipped at any depth.
        class_names: the classes of the training set, in order; a folder may lack some of them. The folders of
            ImageNet's classes may be named by their WordNet ids. None: the sub-folders, sorted by name, each of which
            must hold images.

    Raises:
        UserError: no class folders, no images, a class without images, or a folder that is not in `class_names`.
    """
    folders = class_folders(root)
    if class_names is not None:
        class_names = tuple(map(same_form, class_names))
        folders = {class_of_folder(name, class_names): found for name, found in folders.items()}
    foreign = sorted(set(folders) - set(class_names or folders))
    if foreign:
        others = f" (nor are {', '.join(foreign[1:6])})" if foreign[1:] else ""
        raise UserError(
            f"{root}: folder {foreign[0]} is not one of the {len(class_names or ())} training classes{others}"
        )
    if not any(found.images for found in folders.values()):
        raise UserError(f"{root}: no images found: expected one folder per class with {', '.join(IMAGE_ENDINGS)} files")
    empty = [name for name, found in folders.items() if not found.images]
    if class_names is None and empty:
        raise UserError(f"{root / empty[0]}: class folder without images: add images or remove the folder")
    return labelled_images(root, folders, class_names or tuple(folders))


def class_folders(root: Path) -> dict[str, Found]:
    """{class: what its folder holds}, sorted by name. Names that differ in their Unicode form only are one class.

    Raises:
        UserError: a folder's name is not UTF-8, so that no result could name it.
    """
    folders: dict[str, Found] = {}
    for entry in sorted(root.iterdir()):
        if entry.is_dir() and not is_junk(entry.name):
            if printable(entry.name) != entry.name:
                remedy = "rename it, for example with convmv -f gbk -t utf8 -r --notest"
                raise UserError(f"{printable(entry)}: the folder's name is not UTF-8: {remedy}")
            name = same_form(entry.name)
            folders[name] = folders.get(name, Found()) + find_images(entry)
    return folders


def labelled_images(root: Path, folders: dict[str, Found], class_names: tuple[str, ...]) -> LabelledImages:
    """The images of `folders`, labelled by the position of their class in `class_names`."""
    found = [folders.get(name, Found()) for name in class_names]
    pairs = [(path, label) for label, item in enumerate(found) for path in item.images]
    labels, paths = tuple(label for _, label in pairs), tuple(path for path, _ in pairs)
    beside = Counter(HIDDEN for entry in root.iterdir() if entry.is_dir() and is_junk(entry.name))
    return LabelledImages(
        root, class_names, labels, paths, left_out_lines({f"{root.name}/": Found(left_out=beside), **folders})
    )


def left_out_lines(folders: dict[str, Found]) -> tuple[str, ...]:
    """One line for each kind of file that was not taken: "left out: 9 files without ending in cat"."""
    kinds = sorted({kind for found in folders.values() for kind in found.left_out})
    lines = []
    for kind in kinds:
        counts = {name: found.left_out[kind] for name, found in folders.items() if found.left_out[kind]}
        lines.append(f"left out: {counted(sum(counts.values()), *kind)} in {few_names(list(counts))}")
    return tuple(lines)
