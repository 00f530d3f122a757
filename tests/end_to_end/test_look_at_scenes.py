"""--check_dataset and --show_batch on segmentation's data."""

import numpy as np
import pytest
from PIL import Image

from tests.support.commands import TINY, mistake, run_here
from tests.support.few_scenes import write_few_scenes, write_gray

RECIPE = TINY.with_name("tiny_segmentation.yml")


@pytest.fixture
def scenes(tmp_path):
    return write_few_scenes(tmp_path / "scenes")


def look(scenes, *options):
    return run_here("train.py", "--config_path", RECIPE, "--dataset_path", scenes, *options)


def plain_lines(finished):
    """What was printed but for the classes' shares."""
    return [line for line in finished.out.splitlines() if not line.startswith("  ")]


def test_all_that_is_wrong_is_named_at_once(scenes):
    assert plain_lines(look(scenes, "--check_dataset", 1)) == [
        "training images: 4, of which 0 cannot be used",
        "validation images: 3, of which 0 cannot be used",
        "Data set check passed.",
    ]
    labels = sorted((scenes / "gtFine/train/ulm").iterdir())
    write_gray(labels[0], np.full((48, 64), 40, np.uint8))
    write_gray(labels[1], np.zeros((48, 60), np.uint8))
    image = next((scenes / "leftImg8bit/val/ulm").iterdir())
    image.write_bytes(image.read_bytes()[:200])
    finished = look(scenes, "--check_dataset", 1)
    assert mistake(finished).startswith(f"{labels[0]}: value 40 is neither a class nor ignored ")
    lines = plain_lines(finished)
    assert lines[:2] == [
        "training images: 4, of which 2 cannot be used",
        "validation images: 3, of which 1 cannot be used",
    ]
    assert lines[2].startswith(f"another problem: {labels[1]}: 60x48 pixels, ")
    assert f"  {image}: truncated" in finished.out.splitlines()


def test_broken_lines_of_a_list_and_broken_files_are_named_at_once(scenes, tmp_path):
    label = sorted((scenes / "gtFine/train/ulm").iterdir())[0]
    image = scenes / "leftImg8bit/train/ulm" / label.name.replace("gtFine_labelIds", "leftImg8bit")
    write_gray(label, np.zeros((48, 60), np.uint8))
    path = tmp_path / "all.txt"
    path.write_text(f"a.png b.png\n\nc.png\n{image.relative_to(scenes)} {label.relative_to(scenes)}\n")
    finished = look(scenes, "--check_dataset", 1, "--data_list", path)  # one list for both splits: each problem once
    assert mistake(finished).startswith(f"{path}, line 1: {scenes}/a.png is missing")
    lines = plain_lines(finished)
    assert lines[:2] == [f"{what} images: 3, of which 3 cannot be used" for what in ("training", "validation")]
    assert lines[2].startswith(f"another problem: {path}, line 3: expected the fields ")
    assert lines[3].startswith(f"another problem: {label}: 60x48 pixels, ")
    assert len(lines) == 4


def test_the_crops_are_drawn_as_the_network_sees_them(scenes, tmp_path):
    finished = look(scenes, "--show_batch", tmp_path / "samples.png")
    assert (finished.code, finished.err) == (0, "")
    assert "4 training images as the network sees them" in finished.out
    with Image.open(tmp_path / "samples.png") as picture:
        picture.verify()
