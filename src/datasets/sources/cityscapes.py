"""Cityscapes on disk: leftImg8bit/ and gtFine/ with {train,val,test}/<city>/, and list files that name pairs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from src.config import UserError
from src.datasets.sources.cityscapes_classes import CITYSCAPES
from src.datasets.sources.scene_pairs import LabelFiles, ScenePair
from src.runtime.files import write_atomically

IMAGES, LABELS = "leftImg8bit", "gtFine"
IMAGE_ENDING, LABEL_ENDING = "_leftImg8bit.png", "_gtFine_labelIds.png"
SPLITS = ("train", "val", "test")


LABEL_FILES = LabelFiles(
    CITYSCAPES,
    modes=("L",),
    kind="8-bit grey PNG of label ids",
    wrong_kind="use the *_labelIds.png files",
    wrong_value="use the *_labelIds.png files",
)


def load_pairs(root: str, data_list: str, split: str) -> tuple[ScenePair, ...]:
    """The pairs of a split, from a list file if one is named, else from the folders.

    Args:
        root: folder that holds leftImg8bit/ and gtFine/, and to which the lists' names are relative.
        data_list: a list file, a folder with <split>.txt, or "". Of this folder and of `root` the parent will do, if
            they are called cityscapes.
        split: train, val or test; in test a pair may lack its label.

    Raises:
        UserError: a folder, list or file is not there, or a list is empty or has a broken line.
    """
    return _all_whole(*scan_pairs(root, data_list, split))


def _all_whole(pairs: tuple[ScenePair, ...], problems: Sequence[str]) -> tuple[ScenePair, ...]:
    if problems:
        raise UserError(problems[0])
    return pairs


def scan_pairs(root: str, data_list: str, split: str) -> tuple[tuple[ScenePair, ...], list[str]]:
    """The whole pairs that `load_pairs` would find, and all for which it would raise; its arguments.

    Raises:
        UserError: there is nothing to look through.
    """
    if not root or not Path(root).is_dir():
        raise UserError(f"dataset_path: no folder {root or '(empty)'}: give the folder with {IMAGES}/ and {LABELS}/")
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
    """The pairs of a list file with a line "image label" a pair, names relative to `root`; blank lines are passed over.

    Args:
        labelled: whether each line must name a label.

    Returns:
        The pairs of the right lines; what is wrong with each other one.

    Raises:
        UserError: no list file, or an empty one.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise UserError(
            f"data_list: {path} is no list file: give one, or write it by scripts/create_cityscapes_lists.py"
        ) from None
    pairs, problems = [], []
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                pairs.append(_pair_of_line(line.split(), root, f"{path}, line {number}", labelled))
            except UserError as error:
                problems.append(str(error))
    if not pairs and not problems:
        raise UserError(f"{path} is empty: write it again by scripts/create_cityscapes_lists.py")
    return tuple(pairs), problems


def _pair_of_line(words: list[str], root: Path, place: str, labelled: bool) -> ScenePair:
    if len(words) > 2 or (labelled and len(words) < 2):
        raise UserError(f'{place}: {len(words)} names where "image label" is expected')
    files = [root / word for word in words]
    for file in files:
        if not file.is_file():
            raise UserError(f"{place}: {file} is not there: check dataset_path, or write the list again")
    return ScenePair(files[0], files[1] if len(files) == 2 else None)


def write_lists(root: Path, folder: Path) -> dict[str, int]:
    """Write {train,val,trainval,test}.txt into `folder` for the splits that `root` has.

    Returns:
        Pairs per list.

    Raises:
        UserError: `root` has no split, or a split is broken.
    """
    lists = {split: _all_whole(*scan_folders(root, split)) for split in SPLITS if (root / IMAGES / split).is_dir()}
    if not lists:
        raise UserError(f"{root}: no folder {IMAGES}/train, {IMAGES}/val or {IMAGES}/test: give the data set's folder")
    if {"train", "val"} <= lists.keys():
        lists["trainval"] = lists["train"] + lists["val"]
    for name, pairs in lists.items():
        write_atomically(folder / f"{name}.txt", "".join(_line(pair, root) for pair in pairs))
    return {name: len(pairs) for name, pairs in lists.items()}


def _line(pair: ScenePair, root: Path) -> str:
    files = [pair.image] if pair.label is None else [pair.image, pair.label]
    return "\t".join(file.relative_to(root).as_posix() for file in files) + "\n"


# -- folders


def scan_folders(root: Path, split: str) -> tuple[tuple[ScenePair, ...], list[str]]:
    """The pairs of a split as the folders hold them, sorted by city and name, and the images without a label.

    The test images come without labels: the files that the data set ships for them hold none.

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

    The scorer takes the one file whose name begins with <city>_<sequence>_<frame>; its values are label ids.
    """
    return f"{image.name.removesuffix('.png').removesuffix('_leftImg8bit')}_pred_labelIds.png"
