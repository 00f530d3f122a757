"""Network inputs of a class folder as the evaluation computes them, for ascend310_infer and other programs.

    python scripts/preprocess.py CLASS_FOLDER MODEL.json [RESULT_FOLDER] [--overwrite 1]

RESULT_FOLDER (default preprocess_Result) receives n01440764/ILSVRC2012_val_00000293.bin, float32 (3, S, S), for each
picture; it appears when it is complete. MODEL.json is the file beside the exported model, of a classification network.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import fields
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from src.config import UserError
from src.datasets.decoding import Unreadable, read_image
from src.datasets.pipeline import transformed
from src.datasets.sources.picture_files import check_result_names, find_images
from src.datasets.transforms.image import Preprocessing, evaluation_transforms
from src.runtime.entry import run_command
from src.runtime.files import check_new, complete_folder


def main(argv: list[str]) -> int:
    """Write the input of each picture below the folder; one that cannot be read is skipped and named."""
    options = _parser().parse_args(argv)
    check_new("RESULT_FOLDER", options.results, options.overwrite)
    _check_replaceable(options.results)
    transforms = evaluation_transforms(preprocessing_of(options.card))
    files = find_images(options.folder).images
    if not files:
        raise UserError(f"{options.folder} is not a folder with pictures: give one with one folder per class")
    check_result_names(files)
    with complete_folder(options.results, overwrite=options.overwrite) as results:
        targets = {file: (results / file.relative_to(options.folder)).with_suffix(".bin") for file in files}
        num_written = sum(_write_input(file, target, transforms) for file, target in targets.items())
        if not num_written:
            raise UserError(f"{options.folder}: none of its {len(files)} pictures can be read: give another folder")
    print(f"{options.results}: inputs of {num_written} pictures, {len(files) - num_written} unreadable")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="preprocess.py", description="Network inputs of the pictures of a folder.")
    parser.add_argument("folder", type=Path, metavar="CLASS_FOLDER", help="one folder per class")
    parser.add_argument("card", type=Path, metavar="MODEL.json", help="the file beside the exported model")
    parser.add_argument("results", type=Path, metavar="RESULT_FOLDER", nargs="?", default=Path("preprocess_Result"))
    parser.add_argument("--overwrite", type=int, nargs="?", const=1, default=0, help="1: replace RESULT_FOLDER")
    return parser


def _check_replaceable(results: Path) -> None:
    """UserError if RESULT_FOLDER, which will be replaced, holds anything but inputs: it may be the pictures' own."""
    if results.is_dir() and not results.is_symlink():
        others = [path for path in results.rglob("*") if path.suffix != ".bin" and not path.is_dir()]
    else:
        others = [results] * os.path.lexists(results)
    if others:
        raise UserError(f"RESULT_FOLDER: {others[0]} is not an input that this program wrote: give another folder")


def _write_input(file: Path, target: Path, transforms: list) -> bool:
    try:
        pixels = read_image(file)
    except Unreadable as reason:
        print(f"skipped: {file}: {reason}", file=sys.stderr)
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(np.ascontiguousarray(transformed(pixels, transforms)).tobytes())
    return True


def preprocessing_of(card: Path) -> Preprocessing:
    """The preprocessing that the card of an exported classification model asks for."""
    try:
        values = json.loads(card.read_text(encoding="utf-8"))["preprocessing"]
        return Preprocessing(**{field.name: values[field.name] for field in fields(Preprocessing)})
    except OSError as error:
        raise UserError(f"{card} cannot be read ({error.strerror}): give the file beside the exported model") from None
    except (ValueError, KeyError, TypeError):
        raise UserError(f"{card} is not the card of an exported classification model: give another file") from None


if __name__ == "__main__":
    sys.exit(run_command(main))
