"""Where the training and the validation images are: class folders, a list file, or a tar archive of class folders."""

from __future__ import annotations

from pathlib import Path

from src.config import UserError
from src.datasets.sources.archive import extract_archive
from src.datasets.sources.image_folder import scan_image_folder
from src.datasets.sources.labelled import LabelledImages
from src.datasets.sources.list_file import read_list


def find_split(path: str, split: str, key: str) -> Path:
    """What holds the images of `split` (train, val): the folder or file itself, or the sub-folder of that name.

    Raises:
        UserError: it is not there; `key` names the setting.
    """
    root = Path(path)
    if path and root.is_file() and root.suffix in (".txt", ".tar"):
        return root
    if not path or not root.is_dir():
        raise UserError(f"{key}: no folder {path or '(empty)'}: give --{key} FOLDER, with one folder a class")
    return root / split if (root / split).is_dir() else root


def find_validation(eval_path: str, dataset_path: str) -> Path:
    """The validation images: eval_path, else val/ or val.txt inside or beside the training images."""
    if eval_path:
        return find_split(eval_path, "val", "eval_path")
    root = Path(dataset_path)
    candidates = [folder / name for folder in (root, root.parent) for name in ("val", "val.txt")]
    found = next((place for place in candidates if dataset_path and place.exists()), None)
    if found is None:
        raise UserError(f"eval_path is empty and there is no val/ at or beside {dataset_path or '(no dataset_path)'}")
    return found


def find_list(data_list: str, split: str) -> Path:
    """<data_list>/<split>.txt; UserError when it is not there."""
    path = Path(data_list) / f"{split}.txt"
    if not path.is_file():
        raise UserError(f"data_list: no file {path}: give --data_list FOLDER, with train.txt and val.txt in it")
    return path


def open_images(place: Path, class_num: int, class_names: tuple[str, ...] | None = None) -> LabelledImages:
    """The samples at a place that `find_split` or `find_validation` found.

    Args:
        place: class folders, a list file whose paths are relative to its own folder, or a tar archive (also one that
            lies alone in a folder), which is unpacked beside itself first.
        class_num: outputs of the network, for the labels of a list.
        class_names: the training set's classes, for a validation set.

    Raises:
        UserError: what is there cannot be used.
    """
    if place.suffix == ".txt" and place.is_file():
        return read_list(place, place.parent, class_num, class_names)
    archive = place if place.is_file() else _lonely_archive(place)
    return scan_image_folder(extract_archive(archive) if archive else place, class_names)


def _lonely_archive(folder: Path) -> Path | None:
    """The one tar archive in a folder without class folders but the archive's own (train/imagenet_train.tar)."""
    archives = [path for path in folder.iterdir() if path.suffix == ".tar" and path.is_file()]
    if len(archives) != 1:
        return None
    others = [path for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")]
    return archives[0] if all(path == archives[0].with_suffix("") for path in others) else None
