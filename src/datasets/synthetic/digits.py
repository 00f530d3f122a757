"""Handwritten digits that need no download: 1797 real images of 8x8 pixels in digits.npz.

Source: E. Alpaydin, C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine Learning Repository, 1998
(test part), licence CC BY 4.0.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from src.config import UserError
from src.runtime.files import complete_folder

DATA = Path(__file__).with_name("digits.npz")
NUM_VALIDATION = 360  # of 1797, the same share of each class
SPLIT_SEED = 0
CREDIT = (
    "1797 handwritten digits, 8x8 pixels, enlarged.\n"
    "E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits,\n"
    "UCI Machine Learning Repository, 1998 (https://doi.org/10.24432/C50P49), CC BY 4.0;\n"
    "the 1797 of its test part, in the order in which scikit-learn ships them.\n"
)


def write_digits(folder: Path, size: int = 32) -> dict[str, int]:
    """Write the digits as an image folder: <folder>/{train,val}/{0..9}/NNNN.png, RGB, `size` pixels square.

    The folder appears only when it is complete; an existing one is kept.

    Returns:
        Images per split.

    Raises:
        UserError: the folder exists and contains something else.
    """
    if not (folder / "CREDIT.txt").exists():
        if folder.exists() and any(folder.iterdir()):
            raise UserError(f"{folder} exists and is not a folder of digits: give another folder")
        _write_complete(folder, size)
    return {split: sum(1 for _ in (folder / split).rglob("*.png")) for split in ("train", "val")}


def _write_complete(folder: Path, size: int) -> None:
    with complete_folder(folder) as partial:
        for split, number, label, image in _split_digits():
            target = partial / split / str(label)
            target.mkdir(parents=True, exist_ok=True)
            picture = Image.fromarray(image).resize((size, size), Image.Resampling.BICUBIC).convert("RGB")
            picture.save(target / f"{number:04d}.png")
        (partial / "CREDIT.txt").write_text(CREDIT)


def load_digits() -> tuple[np.ndarray, np.ndarray]:
    """(1797, 8, 8) uint8 levels from 0 to 16, and (1797,) uint8 labels."""
    with np.load(DATA) as digits:
        return digits["images"], digits["labels"]


def _split_digits():
    """Yields (split, number, label, (8, 8) uint8); each class gives the same share to validation."""
    levels, labels = load_digits()
    images = np.round(levels / 16.0 * 255.0).astype(np.uint8)
    order = np.random.default_rng(SPLIT_SEED).permutation(len(images))
    by_class = order[np.argsort(labels[order], kind="stable")]
    validation = set(by_class[np.round(np.linspace(0, len(images) - 1, NUM_VALIDATION)).astype(int)].tolist())
    for number, (image, label) in enumerate(zip(images, labels, strict=True)):
        yield "val" if number in validation else "train", number, int(label), image
