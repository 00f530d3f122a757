"""Cityscapes on disk: leftImg8bit/ and gtFine/ with {train,val,test}/<city>/, and list files of pairs."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from src.config import UserError
from src.datasets.sources.cityscapes_classes import CITYSCAPES, are_train_ids
from src.datasets.sources.picture_files import existing_form
from src.datasets.sources.scene_pairs import LabelFiles, ScenePair
from src.runtime.files import complete_folder, write_atomically

IMAGES, LABELS = "leftImg8bit", "gtFine"
IMAGE_ENDING, LABEL_ENDING = "_leftImg8bit.png", "_gtFine_labelIds.png"
TRAIN_ID_ENDING = "_labelTrainIds.png"
SPLITS = ("train", "val", "test")


LABEL_FILES = LabelFiles(
    CITYSCAPES,
    modes=("L",),
    kind="8-bit grey PNG of label ids",
    wrong_kind="use the *_labelIds.png files",
    wrong_value="use the *_labelIds.png files",
    foreign="holds train ids (0-18 and 255)",
    is_foreign=are_train_ids,
)


def load_pairs(root: str, data_list: str, split: str) -> tuple[ScenePair, ...]:
    """The pairs of a split, from a list file if one is given, else from the folders.

    Args:
        root: folder that contains leftImg8bit/ and gtFine/; the paths in list files are relative to it.
        data_list: a list file, a folder with <split>.txt, or "". For both arguments, the parent of a folder called
            cityscapes is accepted as well.
        split: train, val or test; in test a pair may lack its label.

    Raises:
        UserError: a folder, list or file is missing, or a list is empty or has an invalid line.
    """
    return _all_whole(*scan_pairs(root, data_list, split))


def _all_whole(pairs: tuple[ScenePair, ...], problems: Sequence[str]) -> tuple[ScenePair, ...]:
    if problems:
        raise UserError(problems[0])
    return pairs


def scan_pairs(root: str, data_list: str, split: str) -> tuple[tuple[ScenePair, ...], list[str]]:
    """The complete pairs that `load_pairs` would return, and every problem for which it would raise.

    Raises:
        UserError: there is nothing to scan.
    """
    if not root or not Path(root).is_dir():
        raise UserError(
            f"dataset_path: no folder {root or '(empty)'}: give the folder that contains {IMAGES}/ and {LABELS}/"
        )
    folder = _own_folder(root)
    if not data_list:
        return scan_folders(folder, split)
    path = _own_folder(data_list)
    path = path / f"{split}.txt" if path.is_dir() else path
    return scan_list(path, folder, labelled=split != "test")


def _own_folder(path: str) -> Path:
    inside = Path(path, "cityscapes")
    return inside if inside.is_dir() else Path(path)


# -- list files


def scan_list(path: Path, root: Path, *, labelled: bool = True) -> tuple[tuple[ScenePair, ...], list[str]]:
    """The pairs of a list file with one line "image label" per pair, relative to `root`; blank lines are skipped.

    A tab between the two allows spaces in their names.

    Args:
        labelled: whether each line must name a label.

    Returns:
        The pairs of the valid lines, and one problem per invalid line.

    Raises:
        UserError: not a list file, or an empty one.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError):
        raise UserError(
            f"data_list: {path} is not a list file: give one, or create it with scripts/create_cityscapes_lists.py"
        ) from None
    pairs, problems = [], []
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                words = [word.strip() for word in line.split("\t" if "\t" in line.strip() else None) if word.strip()]
                pairs.append(_pair_of_line(words, root, f"{path}, line {number}", labelled))
            except UserError as error:
                problems.append(str(error))
    if not pairs and not problems:
        raise UserError(f"{path} is empty: create it again with scripts/create_cityscapes_lists.py")
    return tuple(pairs), problems


def _pair_of_line(words: list[str], root: Path, place: str, labelled: bool) -> ScenePair:
    if len(words) > 2 or (labelled and len(words) < 2):
        raise UserError(f'{place}: expected the fields "image label", found {len(words)}')
    files = [existing_form(root / word) for word in words]
    for file in files:
        if file.name.endswith(TRAIN_ID_ENDING):
            raise UserError(f"{place}: {file} holds train ids: use the *{LABEL_ENDING} files")
        if not file.is_file():
            raise UserError(f"{place}: {file} is missing: check dataset_path, or create the list again")
    return ScenePair(files[0], files[1] if len(files) == 2 else None)


def write_lists(root: Path, folder: Path) -> dict[str, int]:
    """Write {train,val,trainval,test}.txt into `folder` for the splits in `root`: all lists, or none.

    Returns:
        Pairs per list.

    Raises:
        UserError: `root` has no split, a split has a problem, or `folder` is not empty.
    """
    if os.path.lexists(folder) and not (folder.is_dir() and not any(folder.iterdir())):
        raise UserError(f"{folder} exists already and is not an empty folder: give another LIST_FOLDER, or remove it")
    lists = {split: _all_whole(*scan_folders(root, split)) for split in SPLITS if (root / IMAGES / split).is_dir()}
    if not lists:
        raise UserError(f"{root}: no folder {IMAGES}/train, {IMAGES}/val or {IMAGES}/test: give the data set's folder")
    if {"train", "val"} <= lists.keys():
        lists["trainval"] = lists["train"] + lists["val"]
    with complete_folder(folder) as partial:
        for name, pairs in lists.items():
            write_atomically(partial / f"{name}.txt", "".join(_line(pair, root) for pair in pairs))
    return {name: len(pairs) for name, pairs in lists.items()}


def _line(pair: ScenePair, root: Path) -> str:
    files = [pair.image] if pair.label is None else [pair.image, pair.label]
    return "\t".join(file.relative_to(root).as_posix() for file in files) + "\n"


# -- folders


def scan_folders(root: Path, split: str) -> tuple[tuple[ScenePair, ...], list[str]]:
    """The pairs of a split in the folders, sorted by city and name, and one problem per image without a label.

    Test images have no labels: the label files shipped for them contain no classes.

    Raises:
        UserError: there are no images.
    """
    images = sorted((root / IMAGES / split).glob(f"*/*{IMAGE_ENDING}"))
    if not images:
        raise UserError(f"{root}: no images {IMAGES}/{split}/<city>/*{IMAGE_ENDING}: check dataset_path")
    if split == "test":
        return tuple(ScenePair(image, None) for image in images), []
    pairs = [ScenePair(image, _label_of(image, root, split)) for image in images]
    problems = [
        f"{pair.image} has no label {pair.label}: unpack gtFine_trainvaltest.zip there"
        for pair in pairs
        if not pair.label.is_file()
    ]
    return tuple(pair for pair in pairs if pair.label.is_file()), problems


def _label_of(image: Path, root: Path, split: str) -> Path:
    return root / LABELS / split / image.parent.name / (image.name.removesuffix(IMAGE_ENDING) + LABEL_ENDING)


# -- files to submit


def submission_name(image: Path) -> str:
    """berlin_000000_000019_leftImg8bit.png -> berlin_000000_000019_pred_labelIds.png.

    The scorer reads the one file whose name begins with <city>_<sequence>_<frame>; its values are label ids.
    """
    return f"{image.name.removesuffix('.png').removesuffix('_leftImg8bit')}_pred_labelIds.png"
