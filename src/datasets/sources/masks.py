"""Masks data set on disk: images/ and masks/ with equal file names, and a file of class names beside them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from src.config import UserError
from src.config.errors import few_names
from src.datasets.sources.label_table import LabelTable
from src.datasets.sources.mask_classes import FILES, classes_file, read_classes
from src.datasets.sources.picture_files import IMAGE_ENDINGS, existing_form, is_junk
from src.datasets.sources.scene_pairs import LabelFiles, ScenePair

IMAGES, MASKS = "images", "masks"
LAYOUTS = ("{split}/{kind}", "{kind}/{split}")


def mask_files(table: LabelTable) -> LabelFiles:
    """Index masks: each pixel value is a class, in one channel or as an index into a palette."""
    return LabelFiles(
        table,
        modes=("L", "P", "1"),
        kind="8-bit index mask",
        wrong_kind="convert it to an index PNG (one channel or a palette) whose pixel values are classes",
        wrong_value="correct the mask, name the class in classes.txt, or give the value as --ignore_label",
    )


def read_table(root: str, ignore_label: int) -> LabelTable:
    """The classes of a data set; colours missing from its file come from the first mask's palette, or are chosen.

    Raises:
        UserError: no folder, no file of classes, or an invalid one.
    """
    folder = _folder(root)
    path = classes_file(folder)
    if path is None:
        raise UserError(
            f"{folder}: {FILES[1]} is missing: write one with one class per line, `name` or `name R G B`, value 0 first"
        )
    return read_classes(path, ignore_label, _first_mask(folder))


def check_table(root: str, table: LabelTable) -> None:
    """UserError if the folder has a file of classes that differ from the table's."""
    path = classes_file(_folder(root))
    if path is None:
        return
    found = read_classes(path, table.padding)
    if (found.names, found.label_ids) != (table.names, table.label_ids):
        own, trained = (few_names(names, 8) for names in (found.names, table.names))
        raise UserError(f"{path}: classes {own}, but the network has {trained}: use the data set of this network")


def scan_masks(root: str, split: str) -> tuple[tuple[ScenePair, ...], list[str]]:
    """The pairs of a split, sorted by name, and one problem per image without a usable mask.

    Args:
        root: contains <split>/images and <split>/masks, or images/<split> and masks/<split>.

    Raises:
        UserError: there are no images.
    """
    images, masks = _folders(_folder(root), split)
    files = sorted(path for path in images.iterdir() if path.is_file() and _is_image(path))
    if not files:
        raise UserError(f"{images}: no images ({', '.join(IMAGE_ENDINGS)}): check dataset_path")
    stems = Counter(file.stem for file in files)
    pairs, problems = [], []
    for file in files:
        mask = existing_form(masks / f"{file.stem}.png")
        if not mask.is_file():
            problems.append(f"{file} has no mask {mask}: add it, or remove the image")
        elif stems[file.stem] > 1:
            problems.append(f"{file} shares its mask {mask} with another image: rename one of them")
        else:
            pairs.append(ScenePair(file, mask))
    return tuple(pairs), problems


def _is_image(path: Path) -> bool:
    return path.suffix.lower() in IMAGE_ENDINGS and not is_junk(path.name)


def _folder(root: str) -> Path:
    if not root or not Path(root).is_dir():
        layout = f"{LAYOUTS[0].format(split='train', kind=IMAGES)} and {LAYOUTS[0].format(split='train', kind=MASKS)}"
        raise UserError(f"dataset_path: no folder {root or '(empty)'}: give the folder with {layout}")
    return Path(root)


def _folders(root: Path, split: str) -> tuple[Path, Path]:
    """The folders of a split's images and masks."""
    for layout in LAYOUTS:
        images, masks = (root / layout.format(split=split, kind=kind) for kind in (IMAGES, MASKS))
        if images.is_dir():
            return images, masks
    raise UserError(f"{root}: no folder {split}/{IMAGES} or {IMAGES}/{split}: check dataset_path")


def _first_mask(root: Path) -> Path | None:
    try:
        _, masks = _folders(root, "train")
    except UserError:
        return None
    return min(masks.glob("*.png"), default=None)
