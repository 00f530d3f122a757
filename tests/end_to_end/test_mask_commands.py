"""The commands on images with masks of five classes of one's own."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image

from src.checkpoints import load_checkpoint
from tests.support.commands import mistake, run_here
from tests.support.few_scenes import write_gray
from tests.support.mask_scenes import COLORS, NAMES, write_mask_scenes
from tests.support.processes import PROJECT_ROOT

RECIPE = PROJECT_ROOT / "config/dgcnet/dgcnet_nano_masks.yml"
FAST = ("--train_image_size", 64, "--batch_size", 2, "--max_epoch", 2, "--warmup_epochs", 0, "--train_num_workers", 2)


def train(data, parent, *options):
    words = ("--config_path", RECIPE, "--dataset_path", data, "--save_checkpoint_path", parent, *FAST)
    return run_here("train.py", *words, "--eval_interval", 1, "--save_checkpoint_epochs", 1, *options)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """(data, run folder)"""
    folder = tmp_path_factory.mktemp("masks")
    data = write_mask_scenes(folder / "data", {"train": 4, "val": 2}, (128, 64))
    finished = train(data, folder / "outputs")
    assert (finished.code, finished.err) == (0, "")
    return data, folder / "outputs" / "dgcnet_nano_masks"


def test_the_classes_travel_with_the_weights(run):
    meta = load_checkpoint(run[1] / "ckpt" / "best.ckpt").meta
    assert meta["class_names"] == meta["label_table"]["names"] == list(NAMES)
    assert meta["label_table"]["palette"] == [list(color) for color in COLORS]
    assert meta["config"]["class_num"] == 5
    assert "class_num: 5" in (run[1] / "config.yml").read_text()


def test_a_resumed_run_has_the_same_bits(run, tmp_path):
    begun = shutil.copyfile(run[1] / "ckpt" / "dgcnet_nano-1_2.ckpt", tmp_path / "begun.ckpt")
    finished = train(run[0], tmp_path / "outputs", "--resume", begun)
    assert (finished.code, finished.err) == (0, "")
    last = [folder / "ckpt" / "last.ckpt" for folder in (run[1], tmp_path / "outputs" / "dgcnet_nano_masks")]
    assert len({load_checkpoint(path).meta["sha256"] for path in last}) == 1


def test_the_iou_has_the_own_names(run, tmp_path):
    words = ("--pretrained", run[1] / "ckpt" / "best.ckpt", "--output", tmp_path / "e", "--submit", tmp_path / "s")
    finished = run_here("eval.py", *words)
    assert (finished.code, finished.err) == (0, "")
    assert list(json.loads((tmp_path / "e" / "result.json").read_text())["iou"]) == list(NAMES)
    assert all(f":INFO:{name} " in finished.out for name in NAMES)
    assert [path.name for path in sorted((tmp_path / "s").iterdir())] == ["000.png", "001.png"]


def test_prediction_and_export_need_no_data(run, tmp_path):
    image, best = shutil.copy(run[0] / "val/images/000.jpg", tmp_path), run[1] / "ckpt" / "best.ckpt"
    hidden = run[0].rename(run[0].with_name("hidden"))
    try:
        finished = run_here("predict.py", "--pretrained", best, "--input", image, "--output", tmp_path / "p")
        assert (finished.code, finished.err) == (0, "")
        finished = run_here("export.py", "--pretrained", best, "--file_name", tmp_path / "net")
        assert finished.code == 0
    finally:
        hidden.rename(run[0])
    with Image.open(tmp_path / "p" / "000.png") as classes:
        assert (classes.mode, tuple(classes.getpalette()[:3])) == ("P", COLORS[0])
        assert np.asarray(classes).max() < 5
    card = json.loads((tmp_path / "net.mindir.json").read_text())
    assert (card["class_names"], card["palette"][4], card["label_ids"]) == (list(NAMES), [220, 20, 60], [0, 1, 2, 3, 4])


def test_looks_at_the_data(run, tmp_path):
    finished = train(run[0], tmp_path, "--show_batch", tmp_path / "samples.png")
    assert (finished.code, finished.err) == (0, "")
    data = shutil.copytree(run[0], tmp_path / "data")
    assert "  (ignored)  " in train(data, tmp_path, "--check_dataset", 1).out
    write_gray(data / "val/masks/001.png", np.full((64, 128), 77, np.uint8))
    (data / "train/masks/002.png").unlink()
    finished = train(data, tmp_path, "--check_dataset", 1)
    assert mistake(finished).startswith(f"{data}/train/images/002.jpg has no mask ")
    assert f"another problem: {data}/val/masks/001.png: value 77 is neither a class nor ignored " in finished.out


def test_mistakes_are_one_line_each(run, tmp_path):
    assert mistake(train(run[0], tmp_path, "--class_num", 19)).startswith(
        "class_num is 19, but masks, which dgcnet_nano segments, has 5 classes: give --class_num 5, "
    )
    data = shutil.copytree(run[0], tmp_path / "data")
    (data / "classes.txt").write_text("a\nb\nc\nd\ne\n")
    words = ("--pretrained", run[1] / "ckpt" / "best.ckpt", "--eval_path", data)
    assert mistake(run_here("eval.py", *words)).startswith(f"{data}/classes.txt: classes a, b, c, d, e, but the ")
    (data / "classes.txt").unlink()
    assert mistake(train(data, tmp_path)).startswith(f"{data}: classes.txt is missing: write one")
