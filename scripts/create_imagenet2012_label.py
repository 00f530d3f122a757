"""Label file of a class folder, for postprocess.py.

    python scripts/create_imagenet2012_label.py CLASS_FOLDER MODEL.json [LABEL_JSON] [--overwrite 1]

LABEL_JSON (default imagenet_label.json) is {"n01440764/ILSVRC2012_val_00000293.JPEG": 0, ...}, with the labels of the
model's classes, MODEL.json being the file beside the exported model. A file with other content is not replaced unasked.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from src.config import UserError
from src.config.errors import counted
from src.datasets.sources.image_folder import scan_image_folder
from src.datasets.sources.picture_files import check_result_names
from src.runtime.entry import run_command
from src.runtime.files import check_new, holds, write_atomically


def main(argv: list[str]) -> int:
    """Write the label of each picture below the folder."""
    options = _parser().parse_args(argv)
    if not options.folder.is_dir():
        raise UserError(f"{options.folder} is not a folder: give one with one folder per class")
    labels = labels_of(options.folder, class_names(options.card))
    content = json.dumps(labels, indent=0, ensure_ascii=False)
    check_new("LABEL_JSON", options.target, options.overwrite or holds(options.target, content))
    write_atomically(options.target, content)
    print(f"{options.target}: labels of {counted(len(labels), 'picture')}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="create_imagenet2012_label.py", description="Label file of a class folder.")
    parser.add_argument("folder", type=Path, metavar="CLASS_FOLDER", help="one folder per class")
    parser.add_argument("card", type=Path, metavar="MODEL.json", help="the file beside the exported model")
    parser.add_argument("target", type=Path, metavar="LABEL_JSON", nargs="?", default=Path("imagenet_label.json"))
    parser.add_argument("--overwrite", type=int, nargs="?", const=1, default=0, help="1: replace LABEL_JSON")
    return parser


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
