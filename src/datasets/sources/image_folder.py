"""ImageNet-style folders: one folder a class, images inside."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from src.config import UserError

IMAGE_ENDINGS = (".jpg", ".jpeg", ".png", ".bmp", ".ppm", ".gif", ".webp", ".tif", ".tiff")


@dataclass(frozen=True)
class ImageFolder:
    """A scanned class folder.

    `files` lists the images class by class, each class sorted by name; `labels` is parallel to it.
    """

    root: Path
    class_names: tuple[str, ...]
    files: tuple[Path, ...]
    labels: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.files)


def find_split(path: str, split: str, key: str) -> Path:
    """The class folder for `split` (train, val): the folder itself, or its sub-folder of that name.

    Raises:
        UserError: the folder is not there; `key` names the setting.
    """
    root = Path(path)
    if not path or not root.is_dir():
        raise UserError(f"{key}: no folder {path or '(empty)'}: give --{key} FOLDER, with one folder a class")
    return root / split if (root / split).is_dir() else root


def find_validation(eval_path: str, dataset_path: str) -> Path:
    """The validation folder: eval_path, else val/ inside or beside the training folder."""
    if eval_path:
        return find_split(eval_path, "val", "eval_path")
    root = Path(dataset_path)
    candidates = (root / "val", root.parent / "val")
    found = next((folder for folder in candidates if dataset_path and folder.is_dir()), None)
    if found is None:
        raise UserError(f"eval_path is empty and there is no val/ at or beside {dataset_path or '(no dataset_path)'}")
    return found


def scan_image_folder(root: Path, class_names: tuple[str, ...] | None = None) -> ImageFolder:
    """List the images of a class folder.

    Args:
        root: folder with one sub-folder a class; hidden entries are passed over.
        class_names: the classes of the training set, in order; a folder may lack some of them. None: the sub-folders,
            sorted by name.

    Raises:
        UserError: no class folders, no images, or a folder that is none of `class_names`.
    """
    folders = sorted(entry.name for entry in root.iterdir() if entry.is_dir() and not entry.name.startswith("."))
    if class_names is None:
        class_names = tuple(folders)
    foreign = sorted(set(folders) - set(class_names))
    if foreign:
        raise UserError(f"{root}: folder {foreign[0]} is none of the {len(class_names)} training classes")
    files: list[Path] = []
    labels: list[int] = []
    for label, name in enumerate(class_names):
        if name in folders:
            images = _images_below(root / name)
            files += images
            labels += [label] * len(images)
    if not files:
        raise UserError(f"{root}: no images found: it needs one folder a class with {', '.join(IMAGE_ENDINGS)} files")
    return ImageFolder(root, class_names, tuple(files), tuple(labels))


def find_pictures(text: str) -> list[Path]:
    """The picture files that `input` names: files and folders, by commas.

    Raises:
        UserError: nothing named, something missing, or a folder without pictures.
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
            raise UserError(f"input: {path} is not there")
    return files


def _images_below(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in IMAGE_ENDINGS and path.is_file())
