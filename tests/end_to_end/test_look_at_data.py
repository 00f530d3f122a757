"""--check_dataset and --show_batch: a look at the data, and training in spite of what is wrong with it."""

import shutil

import numpy as np
import pytest
from PIL import Image

from tests.support.commands import TINY, mistake, run_here
from tests.support.few_digits import write_few_digits
from tests.support.odd_images import broken_images, damaged_within, readable_images, write_files


@pytest.fixture
def odd(tmp_path, monkeypatch):
    """A folder with everything that is odd or broken, and options that train on it."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "odd"
    for split in ("train", "val"):
        for name in ("cat", "dog"):
            write_files(folder / split / name, readable_images())
    write_files(folder / "train/cat", broken_images())
    write_files(folder / "train/dog", damaged_within())
    return folder


def _check(folder, *options):
    return run_here("train.py", "--config_path", TINY, "--dataset_path", folder, "--check_dataset", 1, *options)


def test_the_report_names_what_is_odd_and_what_is_broken(odd):
    finished = _check(odd, "--max_bad_images", 0.5)
    assert finished.code == 0, finished
    lines = [line.strip() for line in finished.out.splitlines()]
    broken = dict.fromkeys(broken_images(), "cat") | dict.fromkeys(damaged_within(), "dog")
    for name, label in broken.items():
        assert sum(line.startswith(f"{odd}/train/{label}/{name}: ") for line in lines) == 1, name
    training = lines[: lines.index(f"validation images: 30 in 2 classes at {odd}/val")]
    assert training[:8] == [
        f"training images: 39 in 2 classes at {odd}/train",
        "images per class: smallest 18 (dog), median 19.5, largest 21 (cat)",
        "cat  21",
        "dog  18",
        "width: smallest 30, median 40, largest 40 pixels",
        "height: smallest 30, median 30, largest 40 pixels",
        "formats: JPEG 12, PNG 8, BMP 2, GIF 2, PPM 2, TIFF 2, WEBP 2",
        "odd, but used: 2 16 bits per channel, of which the upper 8 are used: cat/deep.png, dog/deep.png",
    ]
    oddities = [line.split(":")[1].strip().partition(" ")[2] for line in training if line.startswith("odd, but used")]
    assert oddities == [
        "16 bits per channel, of which the upper 8 are used",
        "CMYK, converted to RGB",
        "transparent, which is ignored",
        "turned by their orientation tag, as viewers do",
    ]
    assert "cannot be read: 9 of 39 (23.08%)" in training
    assert lines[-1] == "Data set check passed."


def test_what_keeps_a_training_from_running_ends_with_exit_code_2(odd, digits, tmp_path):
    assert mistake(_check(tmp_path / "nowhere")).startswith(f"dataset_path: no folder {tmp_path}/nowhere")
    shutil.rmtree(odd / "val/dog")
    for name in ("bird", "fish"):
        write_files(odd / "val" / name, {"a.png": readable_images()["plain.png"]})
    finished = _check(odd, "--batch_size", 64)
    assert finished.code == 2
    assert finished.err.splitlines()[-1].startswith("error: max_bad_images 0.01: 9 of 39 training images cannot be ")
    others = [line for line in finished.out.splitlines() if line.startswith("another problem: ")]
    assert others[0].startswith("another problem: batch_size 64 x 1 devices is larger than the 39 training images")
    assert others[1] == (f"another problem: {odd}/val: folder bird is not one of the 2 training classes (nor are fish)")
    (odd / "train/empty").mkdir()
    assert mistake(_check(odd)) == f"{odd}/train/empty: class folder without images: add images or remove the folder"


def test_classes_without_validation_images_are_named(digits, tmp_path):
    folder = write_few_digits(tmp_path / "digits")
    shutil.rmtree(folder / "val/3")
    finished = _check(folder)
    assert finished.code == 0
    assert "  classes without images: 3" in finished.out.splitlines()


def test_the_sheet_shows_samples_with_their_labels(tiny, tmp_path):
    sheet = tmp_path / "samples.png"
    finished = run_here("train.py", *tiny.options, "--show_batch", sheet)
    assert (finished.code, finished.out) == (0, f"see {sheet}: 24 training images as the network sees them\n")
    with Image.open(sheet) as image:
        pixels = np.asarray(image.convert("L"))
    assert pixels.std() > 40
    assert not tiny.parent.exists()
    line = mistake(run_here("train.py", *tiny.options, "--show_batch", tmp_path / "samples"))
    assert line == f"show_batch: {tmp_path}/samples is not a .png file: give --show_batch samples.png"


def test_a_training_with_unreadable_images_names_them_in_its_log(tiny, digits, tmp_path):
    folder = write_few_digits(tmp_path / "digits")
    cut, damaged = sorted((folder / "train/4").iterdir())[:2]
    wrong = sorted((folder / "val/2").iterdir())[0]
    cut.write_bytes(cut.read_bytes()[:60])
    damaged.write_bytes(damaged_within()["flipped.png"])
    wrong.write_bytes(b"")
    options = ("--dataset_path", folder, "--max_bad_images", 0.05, "--max_epoch", 2)
    finished = run_here("train.py", *tiny.options[:2], *tiny.options[4:], *options)
    assert finished.code == 0, finished
    assert tiny.log.count(f"{cut}: cannot be read as an image (truncated): replaced by another image of its class") == 1
    assert tiny.log.count(f"{damaged}: cannot be read as an image (damaged): replaced by another ") == 1
    assert tiny.log.count(f"{wrong}: cannot be read as an image (empty file): it counts as wrong") == 1
    assert "2 of 64 so far" in tiny.log
    assert tiny.epochs == [1, 2]
