"""Label file of a class folder, for postprocess.py.

    python scripts/create_imagenet2012_label.py CLASS_FOLDER MODEL.json [LABEL_JSON]

LABEL_JSON (default imagenet_label.json) is {"n01440764/ILSVRC2012_val_00000293.JPEG": 0, ...}, with the labels of the
model's classes, MODEL.json being the file beside the exported model.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from src.config import UserError
from src.config.errors import counted
from src.datasets.sources.image_folder import scan_image_folder
from src.datasets.sources.picture_files import check_result_names
from src.runtime.entry import run_command
from src.runtime.files import write_atomically


def main(argv: list[str]) -> int:
    """Write the label of each picture below the folder."""
    if not 2 <= len(argv) <= 3:
        raise UserError("give CLASS_FOLDER, MODEL.json and, optionally, LABEL_JSON")
    folder, card, target = Path(argv[0]), Path(argv[1]), Path(argv[2] if len(argv) == 3 else "imagenet_label.json")
    if not folder.is_dir():
        raise UserError(f"{folder} is not a folder: give one with one folder per class")
    labels = labels_of(folder, class_names(card))
    write_atomically(target, json.dumps(labels, indent=0, ensure_ascii=False))
    print(f"{target}: labels of {counted(len(labels), 'picture')}")
    return 0


def class_names(card: Path) -> tuple[str, ...]:
    """The classes that the card of an exported model lists, in label order."""
    try:
        return tuple(json.loads(card.read_text(encoding="utf-8"))["class_names"])
    except OSError as error:
        raise UserError(f"{card} cannot be read ({error.strerror}): give the file beside the exported model") from None
    except (ValueError, KeyError, TypeError):
        raise UserError(f"{card} is not the card of an exported model: export the model again") from None


def labels_of(folder: Path, names: tuple[str, ...]) -> dict[str, int]:
    """{picture relative to the folder: label}."""
    images = scan_image_folder(folder, names)
    check_result_names(images.files)
    pairs = zip(images.files, images.labels, strict=True)
    return {path.relative_to(folder).as_posix(): label for path, label in pairs}


if __name__ == "__main__":
    sys.exit(run_command(main))
