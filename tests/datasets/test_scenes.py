"""Drawn street scenes."""

import numpy as np
import pytest

from src.datasets.sources.cityscapes import LABEL_FILES, load_pairs
from src.datasets.sources.cityscapes_classes import CITYSCAPES
from src.datasets.sources.scene_pairs import inspect_pairs
from src.datasets.synthetic import scenes
from src.datasets.synthetic.scenes import draw_scene, write_scenes
from src.datasets.synthetic.street import LABEL
from tests.support.commands import mistake, run_process
from tests.support.user_errors import message_of

SMALL = (128, 64)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data") / "scenes"
    assert write_scenes(folder, size=SMALL) == {"train": 60, "val": 20}
    return folder


def test_a_scene_is_pixels_with_label_ids():
    pixels, labels = draw_scene((0, 0, 0))
    assert (pixels.shape, pixels.dtype, labels.shape, labels.dtype) == (
        (256, 512, 3), np.uint8, (256, 512), np.uint8,
    )  # fmt: skip
    assert CITYSCAPES.to_classes(labels)[250, 256] == 255  # the bonnet
    assert labels[220, 256] == 7  # road
    assert 40 < pixels.std() < 90


def test_equal_keys_give_equal_scenes_and_others_others():
    first, again, other = (draw_scene(key, *SMALL) for key in ((0, 1), (0, 1), (0, 2)))
    assert all((a == b).all() for a, b in zip(first, again, strict=True))
    assert (first[1] != other[1]).mean() > 0.1


def test_the_layout_is_that_of_cityscapes(folder):
    train, val = (load_pairs(str(folder), str(folder / "datalist"), split) for split in ("train", "val"))
    assert (len(train), len(val)) == (60, 20)
    assert train == load_pairs(str(folder), "", "train")
    assert str(val[3].label.relative_to(folder)) == "gtFine/val/drawn/drawn_000003_000019_gtFine_labelIds.png"
    assert inspect_pairs(train + val, LABEL_FILES)[1] == []


def test_the_streets_have_most_classes_in_both_splits():
    """At full size, where a far pole is a pixel wide."""
    for split in (0, 1):
        found = [set(np.unique(CITYSCAPES.to_classes(draw_scene((0, split, index))[1]))) for index in range(6)]
        names = {CITYSCAPES.names[k] for k in set.union(*found) if k < 19}
        assert names >= {
            "road", "sidewalk", "building", "pole", "traffic sign", "vegetation", "terrain", "sky", "person", "car",
        }  # fmt: skip
        assert all({0, 2, 10} <= classes for classes in found)


def test_what_shows_through_a_bicycle_is_labelled_as_bicycle():
    """As in Cityscapes, holes of an object count as the object: its discs outweigh the rider, its rings do not."""
    labels = np.concatenate([draw_scene((0, 0, index))[1] for index in range(6)])
    assert (labels == LABEL["bicycle"]).sum() > 1.5 * (labels == LABEL["rider"]).sum() > 0


def test_scenes_that_are_there_stay_as_they_are(folder):
    times = {file: file.stat().st_mtime_ns for file in folder.rglob("*.png")}
    assert write_scenes(folder, size=(64, 32)) == {"train": 60, "val": 20}
    assert {file: file.stat().st_mtime_ns for file in folder.rglob("*.png")} == times
    assert message_of(write_scenes, folder, seed=1) == (
        f"{folder} contains scenes of another seed: remove it, or give another folder"
    )


def test_a_foreign_folder_is_refused(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    message = f"{tmp_path} exists and is not a folder of scenes: give another folder"
    assert message_of(write_scenes, tmp_path) == message
    assert mistake(run_process("scripts/create_scenes.py", "--output", tmp_path)) == message


def test_an_interrupted_writing_leaves_nothing(tmp_path, monkeypatch):
    def draw_three(key, *size):
        if key[2] == 3:
            raise KeyboardInterrupt
        return draw_scene(key, *size)

    monkeypatch.setattr(scenes, "draw_scene", draw_three)
    with pytest.raises(KeyboardInterrupt):
        write_scenes(tmp_path / "scenes", size=SMALL)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_the_command_writes_them(tmp_path):
    finished = run_process("scripts/create_scenes.py", "--output", "scenes", cwd=tmp_path)
    assert (finished.code, finished.out) == (
        0, "scenes: 60 training and 20 validation scenes of 512x256 pixels\n"
    )  # fmt: skip
