"""A masks data set of drawn street scenes, their 19 classes merged into five, one of which has its own value."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from PIL import Image

from src.datasets.sources.cityscapes_classes import CITYSCAPES
from src.datasets.sources.label_table import IGNORED
from src.datasets.synthetic.scenes import draw_scene

NAMES = ("ground", "built", "plants", "sky", "traffic")
MERGED = np.array([0, 0, 1, 1, 1, 1, 1, 1, 2, 2, 3, 4, 4, 4, 4, 4, 4, 4, 4], np.uint8)  # class of each train id
COLORS = ((128, 64, 128), (70, 70, 70), (107, 142, 35), (70, 130, 180), (220, 20, 60))


def merged(label_ids: np.ndarray) -> np.ndarray:
    """Label ids of Cityscapes -> five classes, and 255."""
    train_ids = CITYSCAPES.to_classes(label_ids)
    return np.append(MERGED, np.full(256 - len(MERGED), IGNORED, np.uint8))[train_ids]


def write_mask_scenes(root: Path, counts: dict[str, int], size: tuple[int, int], *, palette: bool = True) -> Path:
    """Write `counts` scenes a split, as JPEG with palette masks (or grey ones), and classes.txt without colours."""
    for number, (split, count) in enumerate(counts.items()):
        for index in range(count):
            pixels, label_ids = draw_scene((0, number, index), *size)
            mask = Image.fromarray(merged(label_ids))
            if palette:
                # All 256 colours: a PNG with fewer has fewer bits a pixel, too few for the ignored 255.
                mask.putpalette(np.resize(COLORS, (256, 3)).astype(np.uint8).tobytes())
            for kind, picture, ending in (("images", Image.fromarray(pixels), "jpg"), ("masks", mask, "png")):
                folder = root / split / kind
                folder.mkdir(parents=True, exist_ok=True)
                picture.save(folder / f"{index:03d}.{ending}")
    (root / "classes.txt").write_text("\n".join(NAMES) + "\n")
    return root


def write_json(root: Path, entries: object) -> Path:
    """Replace classes.txt by a classes.json."""
    (root / "classes.txt").unlink(missing_ok=True)
    (root / "classes.json").write_text(json.dumps(entries))
    return root / "classes.json"
