"""Lookup of the training and validation images: class folders, a list file, or a tar archive of class folders."""

from __future__ import annotations

from pathlib import Path

from src.config import UserError
from src.datasets.sources.archive import extract_archive
from src.datasets.sources.image_folder import scan_image_folder
from src.datasets.sources.labelled import LabelledImages
from src.datasets.sources.list_file import read_list
from src.datasets.sources.picture_files import find_images, is_junk

SPLITS = ("train", "val", "test")


def find_split(path: str, split: str, key: str) -> Path:
    """The place of the images of `split` (train, val): the folder or file itself, or what has that name in the folder.

    A tar archive <name>.tar stands for the folder <name>, which is unpacked from it.

    Raises:
        UserError: it is missing; the message names the setting `key`.
    """
    root = Path(path)
    if path and root.is_file() and root.suffix in (".txt", ".tar"):
        return root
    packed = _packed(root, split) if path else None
    if packed is not None:
        return packed
    if not path or not root.is_dir():
        raise UserError(f"{key}: no folder {path or '(empty)'}: give --{key} FOLDER with one folder per class")
    return root / split if _is_split(root, split) else root


def _packed(root: Path, split: str) -> Path | None:
    """The archive of a split's folder: <root>/<split>.tar, or <root>.tar if `root` itself is or would be that folder.

    Also after it has been unpacked, so that all processes find the same place.
    """
    candidates = [root / f"{split}.tar"]
    if root.name == split or not root.is_dir():
        candidates.append(Path(f"{root}.tar"))
    return next((archive for archive in candidates if archive.is_file()), None)


def find_validation(eval_path: str, dataset_path: str) -> Path:
    """The place of the validation images: eval_path, else val/ or val.txt inside or beside the training images.

    Raises:
        UserError: there is none.
    """
    if eval_path:
        return find_split(eval_path, "val", "eval_path")
    root = Path(dataset_path)
    candidates = [folder / name for folder in (root, root.parent) for name in ("val.tar", "val", "val.txt")]
    places = (place for place in candidates if place.is_file() or _is_split(place.parent, place.name))
    found = next(places, None) if dataset_path else None
    if found is None:
        raise UserError(
            f"eval_path is empty, and val/ is missing inside and beside {dataset_path or '(no dataset_path)'}"
        )
    return found


def _is_split(root: Path, name: str) -> bool:
    """Whether the sub-folder of this name is a split, and not a class called train or val among others."""
    if not (root / name).is_dir():
        return False
    others = [path for path in root.iterdir() if path.is_dir() and path.name != name and not is_junk(path.name)]
    return any(path.name in SPLITS for path in others) or not any(find_images(path).images for path in others)


def find_list(data_list: str, split: str) -> Path:
    """<data_list>/<split>.txt; UserError if it is missing."""
    path = Path(data_list) / f"{split}.txt"
    if not path.is_file():
        raise UserError(f"data_list: no file {path}: give --data_list FOLDER with train.txt and val.txt")
    return path


def open_images(place: Path, class_num: int, class_names: tuple[str, ...] | None = None) -> LabelledImages:
    """The images at a place returned by `find_split` or `find_validation`.

    Args:
        place: class folders, a list file whose paths are relative to its own folder, or a tar archive (also the
            only one in a folder), which is first unpacked into a folder beside it.
        class_num: outputs of the network, to check the labels of a list.
        class_names: the training set's classes, for a validation set.

    Raises:
        UserError: the images cannot be used; see the readers of the three forms.
    """
    if place.suffix == ".txt" and place.is_file():
        return read_list(place, place.parent, class_num, class_names)
    archive = place if place.is_file() else _lonely_archive(place)
    return scan_image_folder(extract_archive(archive) if archive else place, class_names)


def _lonely_archive(folder: Path) -> Path | None:
    """The only tar archive in a folder, if it has no other class folders (train/imagenet_train.tar)."""
    archives = [path for path in folder.glob("*.tar") if path.is_file() and not is_junk(path.name)]
    if len(archives) != 1:
        return None
    others = [path for path in folder.iterdir() if path.is_dir() and not is_junk(path.name)]
    return archives[0] if all(path == archives[0].with_suffix("") for path in others) else None
