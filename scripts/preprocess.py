"""Network inputs of a class folder as the evaluation computes them, for ascend310_infer and other programs.

    python scripts/preprocess.py CLASS_FOLDER MODEL.json [RESULT_FOLDER]

RESULT_FOLDER (default preprocess_Result) receives n01440764/ILSVRC2012_val_00000293.bin, float32 (3, S, S), for each
picture; MODEL.json is the file beside the exported model, of a classification network.
"""

from __future__ import annotations

import json
import sys
from dataclasses import fields
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from src.config import UserError
from src.datasets.decoding import Unreadable, read_image
from src.datasets.pipeline import transformed
from src.datasets.sources.picture_files import find_images
from src.datasets.transforms.image import Preprocessing, evaluation_transforms
from src.runtime.entry import run_command
from src.runtime.files import write_atomically


def main(argv: list[str]) -> int:
    """Write the input of each picture below the folder; one that cannot be read is skipped and named."""
    if not 2 <= len(argv) <= 3:
        raise UserError("give CLASS_FOLDER, MODEL.json and, optionally, RESULT_FOLDER")
    folder, card, results = Path(argv[0]), Path(argv[1]), Path(argv[2] if len(argv) == 3 else "preprocess_Result")
    transforms = evaluation_transforms(preprocessing_of(card))
    files = find_images(folder).images
    if not files:
        raise UserError(f"{folder} is not a folder with pictures: give one with one folder per class")
    skipped = [file for file in files if not _write_input(file, results / file.relative_to(folder), transforms)]
    print(f"{results}: inputs of {len(files) - len(skipped)} pictures, {len(skipped)} unreadable")
    return 0


def _write_input(file: Path, target: Path, transforms: list) -> bool:
    try:
        pixels = read_image(file)
    except Unreadable as reason:
        print(f"skipped: {file}: {reason}", file=sys.stderr)
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(target.with_suffix(".bin"), np.ascontiguousarray(transformed(pixels, transforms)).tobytes())
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
