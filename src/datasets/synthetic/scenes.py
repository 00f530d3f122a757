"""Drawn street scenes with exact labels: a small data set in the layout of Cityscapes that needs no download."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

from src.config import UserError
from src.datasets.sources.cityscapes import IMAGE_ENDING, IMAGES, LABEL_ENDING, LABELS, write_lists
from src.datasets.synthetic.street import draw_camera, draw_light, draw_street, paint_surroundings, smooth_noise
from src.datasets.synthetic.street_objects import Painter, paint_objects
from src.runtime.files import complete_folder

CITY = "drawn"
NUM_SCENES = {"train": 60, "val": 20}
EGO_VEHICLE = 1  # label id of the camera's own car: not trained, as in Cityscapes
NOTE = "Drawn street scenes in the layout of Cityscapes (label ids), made by scripts/create_scenes.py, seed {seed}.\n"


def draw_scene(key: tuple[int, ...], width: int = 512, height: int = 256) -> tuple[np.ndarray, np.ndarray]:
    """A street scene: pixels (H, W, 3) uint8 and label ids (H, W) uint8; equal keys give equal scenes."""
    rng = np.random.default_rng(key)
    camera, light, street = draw_camera(rng, width, height), draw_light(rng), draw_street(rng)
    painter = Painter(camera, light, *paint_surroundings(rng, camera, light, street))
    paint_objects(rng, painter, street)
    pixels, labels = painter.result()
    _add_bonnet(rng, pixels, labels)
    return _photograph(rng, pixels), labels


def _add_bonnet(rng: np.random.Generator, pixels: np.ndarray, labels: np.ndarray) -> None:
    """The camera's own car at the lower edge."""
    height, width = labels.shape
    rows, columns = np.arange(height)[:, None] / height, np.arange(width) / width
    edge = 1 - rng.uniform(0.03, 0.09) * np.sqrt(np.clip(1 - ((columns - 0.5) / 0.52) ** 2, 0, 1))
    bonnet = rows > edge
    pixels[bonnet] = np.clip(rng.uniform(30, 70) + 260 * (rows - edge), 0, 255)[bonnet][:, None]
    labels[bonnet] = EGO_VEHICLE


def _photograph(rng: np.random.Generator, pixels: np.ndarray) -> np.ndarray:
    """Effects of lens and sensor: soft edges, uneven light, darker corners, noise."""
    soft = Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(rng.uniform(0.35, 0.7)))
    values = np.asarray(soft, np.float32)
    rows, columns = (np.linspace(-1, 1, side) for side in pixels.shape[:2])
    corners = 1 - rng.uniform(0.05, 0.18) * (rows[:, None] ** 2 + columns**2) / 2
    light = rng.uniform(0.88, 1.08) * corners * (1 + 0.04 * smooth_noise(rng, pixels.shape[:2], (4, 6)))
    noise = rng.uniform(1.5, 4) * rng.standard_normal(pixels.shape, np.float32)
    values = values * light[..., None] + noise
    return np.clip(np.round(values), 0, 255).astype(np.uint8)


def write_scenes(folder: Path, seed: int = 0, size: tuple[int, int] = (512, 256)) -> dict[str, int]:
    """Write 60 scenes to train and 20 to validate on, with list files below <folder>/datalist.

    The folder appears only when it is complete; an existing one is kept.

    Args:
        size: width and height of the pictures, pixels.

    Returns:
        Scenes per split.

    Raises:
        UserError: the folder exists and contains something else, or scenes of another seed.
    """
    note = folder / "SCENES.txt"
    if note.exists() and note.read_text() != NOTE.format(seed=seed):
        raise UserError(f"{folder} contains scenes of another seed: remove it, or give another folder")
    if not note.exists():
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise UserError(f"{folder} exists and is not a folder of scenes: give another folder")
        _write_complete(folder, seed, size)
    return {split: len(list((folder / IMAGES / split).glob("*/*.png"))) for split in NUM_SCENES}


def _write_complete(folder: Path, seed: int, size: tuple[int, int]) -> None:
    with complete_folder(folder) as partial:
        for number, split in enumerate(NUM_SCENES):
            for index in range(NUM_SCENES[split]):
                _write_scene(partial, split, index, draw_scene((seed, number, index), *size))
        write_lists(partial, partial / "datalist")
        (partial / "SCENES.txt").write_text(NOTE.format(seed=seed))


def _write_scene(root: Path, split: str, index: int, scene: tuple[np.ndarray, np.ndarray]) -> None:
    name = f"{CITY}_{index:06d}_000019"
    for pixels, kind, ending in zip(scene, (IMAGES, LABELS), (IMAGE_ENDING, LABEL_ENDING), strict=True):
        target = root / kind / split / CITY
        target.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(target / f"{name}{ending}", compress_level=1)
