"""The table of formats in docs/data.md, walked through every reader of images."""

import io
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from src.datasets.decoding import MAX_PIXELS, Unreadable, decode, limit_pixels
from src.datasets.inspection import inspect_image
from src.datasets.pipeline import read_all
from src.datasets.reading import EvaluationImages, TrainingImages
from src.datasets.segmentation import TrainingScenes, WholeScenes
from src.datasets.sources.label_table import LabelTable
from src.datasets.sources.labelled import LabelledImages
from src.datasets.sources.masks import mask_files
from src.datasets.sources.mindrecord import open_mindrecord, write_mindrecord
from src.datasets.sources.scene_pairs import ScenePair, inspect_pairs, read_pair
from src.datasets.transforms.image import Preprocessing
from src.datasets.transforms.joint import JointAugmentation, Normalization
from src.tasks.classification.prediction import TrainedModel
from tests.support.format_table import (
    ENDINGS,
    READ,
    STORED,
    colour_cases,
    label_cases,
    label_values,
    picture,
    turned,
)
from tests.support.images import write_image
from tests.support.processes import PROJECT_ROOT

COLOURS, LABELS = colour_cases(), label_cases()
LOSSLESS = {"PNG", "BMP", "PPM", "TIFF", "WebP"}
AS_IT_IS = Normalization((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
TABLE = LabelTable(tuple(map(str, range(19))), ((0, 0, 0),) * 19, tuple(range(19)))
SMALL = Preprocessing(image_size=8, crop_pct=1.0, interpolation="bilinear", mean=(0.0,) * 3, std=(1.0,) * 3)


@pytest.fixture(autouse=True)
def _limit():
    limit_pixels(MAX_PIXELS)


def _expected(content: bytes) -> np.ndarray:
    """Pillow's pixels, except that it has no rule for 16 grey bits."""
    with Image.open(io.BytesIO(content)) as image:
        if image.mode.startswith("I"):
            return np.repeat((np.asarray(image) >> 8).astype(np.uint8)[..., None], 3, 2)
        return np.asarray(ImageOps.exif_transpose(image).convert("RGB"))


def _file(folder: Path, case: tuple[str, str]) -> Path:
    path = folder / f"{case[1].replace(' ', '_')}{ENDINGS[case[0]]}"
    path.write_bytes(COLOURS[case][0])
    return path


# -- images


def test_the_table_of_the_documents_is_this_one():
    text = (PROJECT_ROOT / "docs/data.md").read_text(encoding="utf-8")
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in re.findall(r"^\|.*\|$", text, re.M)]
    head = next(row for row in rows if "too large" in row)[1:]
    rows = [row for row in rows if row[0] in {*ENDINGS, "label file"}]
    table = {(row[0], column): cell for row in rows for column, cell in zip(head, row[1:], strict=True)}
    cases = {**COLOURS, **{("label file", name): case for name, case in LABELS.items()}}
    assert {key for key, cell in table.items() if cell != "–"} == set(cases)
    assert {key for key, cell in table.items() if cell == "refused"} == {
        key for key, (_, outcome) in cases.items() if outcome != READ
    }


@pytest.mark.parametrize("case", COLOURS, ids=" ".join)
def test_a_cell_is_the_same_to_every_reader_of_images(tmp_path, case):
    content, outcome = COLOURS[case]
    path = _file(tmp_path, case)
    good = write_image(tmp_path / "good.png", picture())
    training = TrainingImages([path, good], [0, 0], seed=1, max_bad_images=0.5)
    evaluation = EvaluationImages([path], [0])
    (prediction,) = TrainedModel(lambda images: images.mean((2, 3)), SMALL, "abc").predict([path])
    scenes = WholeScenes([ScenePair(path, None)], mask_files(TABLE), AS_IT_IS)
    if outcome == READ:
        pixels = decode(content)
        assert pixels.tolist() == _expected(content).tolist()
        if case[0] in LOSSLESS and case[1] not in ("16 bits", "palette"):
            assert pixels.tolist() == picture().tolist()
        for found in (training[0][0], evaluation[0][0], next(read_all([path])), scenes[0][0].transpose(1, 2, 0)):
            assert (found == pixels).all()
        assert inspect_image(path).size == pixels.shape[1::-1]
        assert (prediction.fault, prediction.image.tolist()) == ("", pixels.tolist())
    else:
        with pytest.raises(Unreadable, match=f"^{re.escape(outcome)}$"):
            decode(content)
        assert (training[0][0] == picture()).all()
        assert evaluation[0][1] == -1
        assert (scenes[0][0] == 0).all()
        assert training.faults == evaluation.faults == scenes.faults == {path: outcome}
        assert inspect_image(path).fault == outcome == prediction.fault


def test_all_cells_in_mindrecord_files(tmp_path):
    files = [_file(tmp_path, case) for case in COLOURS]
    images = LabelledImages(tmp_path, ("a", "b"), tuple(index % 2 for index in range(len(files))), tuple(files))
    faults = write_mindrecord(images, tmp_path / "records", "train", 2)
    assert sorted(faults.values()) == sorted(outcome for _, outcome in COLOURS.values() if outcome != READ)
    recorded = open_mindrecord(tmp_path / "records", "train", "dataset_path")
    source = recorded.training_source(seed=1, max_bad_images=0.0)
    rows = source.pipeline(range(len(recorded)), 2).create_tuple_iterator(num_epochs=1, output_numpy=True)
    contents = [content for content, outcome in COLOURS.values() if outcome == READ]
    assert all((pixels == decode(content)).all() for (pixels, _), content in zip(rows, contents, strict=True))


@pytest.mark.parametrize("orientation", STORED)
@pytest.mark.parametrize("name", ["JPEG", "PNG", "TIFF", "WebP"])
def test_every_orientation_is_followed_in_every_format(name, orientation):
    pixels = decode(turned(name, orientation))
    assert pixels.shape == picture().shape
    assert np.abs(pixels.astype(int) - picture()).max() <= (4 if name == "JPEG" else 0)


def test_a_damaged_header_leaves_the_picture_as_it_is_stored():
    content = turned("JPEG", 6)
    damaged = re.sub(rb"Exif\0\0(II\*\0|MM\0\*)", b"Exif\0\0XXXX", content)
    assert damaged != content
    with Image.open(io.BytesIO(damaged)) as image:
        assert decode(damaged).tolist() == np.asarray(image).tolist()
    assert decode(content).shape == decode(damaged).swapaxes(0, 1).shape


# -- label files


@pytest.mark.parametrize("name", LABELS)
def test_a_cell_is_the_same_to_every_reader_of_labels(tmp_path, name):
    content, outcome = LABELS[name]
    pair = ScenePair(write_image(tmp_path / "image.png", picture()), tmp_path / "label.png")
    pair.label.write_bytes(content)
    kind = mask_files(TABLE)
    whole = WholeScenes([pair], kind, AS_IT_IS)
    crops = JointAugmentation(input_size=40, scales=(1.0,), hflip=0.0)
    training = TrainingScenes([pair], kind, crops, AS_IT_IS, seed=1)
    _, problems, faults = inspect_pairs([pair], kind)
    if outcome == READ:
        assert read_pair(pair, kind)[1].tolist() == whole[0][1].tolist() == label_values().tolist()
        assert training[0][1][: len(label_values())].tolist() == label_values().tolist()
        assert (problems, faults) == ([], {})
    elif outcome.startswith("not"):
        assert problems[0].startswith(f"{pair.label}: {outcome}")
    else:
        assert faults == {pair.label: outcome}
        assert (whole[0][1] == 255).all()


def test_damage_of_any_kind_ends_in_pixels_or_in_a_reason():
    """Cut, flipped bits, overwritten blocks and headers, 20 of each file of the table; a larger run found no crash."""
    random, outcomes = np.random.default_rng(1), {"read": 0, "refused": 0}
    for content, _ in COLOURS.values():
        for kind in range(20):
            try:
                outcomes["read"] += decode(_damaged(content, kind % 4, random)).dtype == np.uint8
            except Unreadable:
                outcomes["refused"] += 1
    assert sum(outcomes.values()) == 20 * len(COLOURS)
    assert min(outcomes.values()) > 100


def _damaged(content: bytes, kind: int, random: np.random.Generator) -> bytes:
    values = np.frombuffer(content, np.uint8).copy()
    if kind == 0:
        return content[: random.integers(1, len(content))]
    if kind == 1:
        values[random.integers(0, len(values), 3)] ^= np.uint8(1 << random.integers(8))
    elif kind == 2:
        place = random.integers(len(values))
        values[place : place + 40] = random.integers(256)
    else:
        values[random.integers(0, min(len(values), 200), 4)] = random.integers(0, 256, 4)
    return values.tobytes()
