"""The commands on a segmentation network: one training of two epochs, and what is made of it."""

import csv
import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from src import load_model
from src.checkpoints import load_checkpoint
from src.datasets.sources.cityscapes import LABEL_ENDING
from src.datasets.sources.cityscapes_classes import CITYSCAPES
from src.metrics import SegmentationMetric
from tests.support.commands import TINY, mistake, run_here
from tests.support.few_scenes import write_few_scenes, write_gray

RECIPE = TINY.with_name("tiny_segmentation.yml")


@dataclass(frozen=True)
class SegmentationRun:
    """A finished run and its data: look, don't touch."""

    scenes: Path
    folder: Path

    @property
    def best(self) -> Path:
        return self.folder / "ckpt" / "best.ckpt"


def train(scenes: Path, parent: Path, *options):
    words = ("--config_path", RECIPE, "--dataset_path", scenes, "--save_checkpoint_path", parent)
    return run_here("train.py", *words, *options)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("segmentation")
    scenes = write_few_scenes(folder / "scenes")
    finished = train(scenes, folder / "outputs")
    assert (finished.code, finished.err) == (0, "")
    return SegmentationRun(scenes, folder / "outputs" / "tiny_segmentation")


@pytest.fixture(scope="module")
def evaluated(run):
    """(what eval.py printed, its folder, the submission's folder)"""
    output, submit = run.folder.parent / "evaluated", run.folder.parent / "submitted"
    finished = run_here("eval.py", "--pretrained", run.best, "--output", output, "--submit", submit)
    assert (finished.code, finished.err) == (0, "")
    return finished.out, output, submit


def records(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def test_the_log_has_the_seeds_lines(run):
    log = (run.folder / "train.log").read_text()
    lines = re.findall(r"iter = (\d) of 4 completed,loss = (\d\.\d{6}), lr=(\S+)", log)
    assert [(step, rate) for step, _, rate in lines] == [
        *(("0", "0.01"), ("1", "0.007718895"), ("2", "0.005358867"), ("3", "0.002871746"))
    ]
    losses = [float(loss) for _, loss, _ in lines]
    means = [float(loss) for loss in re.findall(r"loss is (\d\.\d{6})", log)]
    assert means == pytest.approx([sum(losses[:2]) / 2, sum(losses[2:]) / 2], abs=1e-6)
    scores = [float(score) for score in re.findall(r"mIOU: (0\.\d{6})", log)]
    assert scores == pytest.approx([record["miou"] for record in records(run.folder)], abs=1e-6)


def test_the_checkpoint_knows_its_task(run):
    meta = load_checkpoint(run.best).meta
    assert (meta["task"], meta["class_names"]) == ("segmentation", list(CITYSCAPES.names))
    assert meta["preprocessing"]["image_size"] == 32
    assert meta["best"] == max(record["miou"] for record in records(run.folder))


def test_a_resumed_run_has_the_same_bits(run, tmp_path):
    begun = shutil.copyfile(run.folder / "ckpt" / "dgcnet_nano-1_2.ckpt", tmp_path / "begun.ckpt")
    finished = train(run.scenes, tmp_path / "outputs", "--resume", begun)
    assert (finished.code, finished.err) == (0, "")
    last = [folder / "ckpt" / "last.ckpt" for folder in (run.folder, tmp_path / "outputs" / "tiny_segmentation")]
    shas = [load_checkpoint(path).meta["sha256"] for path in last]
    assert shas[0] == shas[1]


def test_the_score_is_that_of_the_submitted_files(run, evaluated):
    out, folder, submit = evaluated
    metric = SegmentationMetric(19)
    for label in sorted(run.scenes.glob(f"gtFine/val/*/*{LABEL_ENDING}")):
        prediction = Image.open(submit / label.name.replace("_gtFine_labelIds", "_pred_labelIds"))
        assert prediction.mode == "L"
        metric.update(
            CITYSCAPES.to_classes(np.asarray(prediction)), CITYSCAPES.to_classes(np.asarray(Image.open(label)))
        )
    result = metric.compute()
    written = json.loads((folder / "result" / "result.txt").read_text())
    assert list(written) == ["meanIU", "IU_array"]
    assert written["meanIU"] == result.mean_iou == max(record["miou"] for record in records(run.folder))
    assert written["IU_array"] == [None if np.isnan(value) else value for value in result.iou]
    assert f":INFO:mIOU: {result.mean_iou:.6f}\n" in out
    rows = list(csv.DictReader((folder / "per_class.csv").open()))
    assert [row["class"] for row in rows] == list(CITYSCAPES.names)
    assert sum(int(row["pixels"]) for row in rows) == result.num_pixels


def test_the_evaluation_leaves_pictures_and_a_report(evaluated):
    _, folder, _ = evaluated
    assert "Intersection over union" in (folder / "report.html").read_text(encoding="utf-8")
    for name in ("best.png", "worst.png"):
        with Image.open(folder / name) as picture:
            picture.verify()
    assert len(list((folder / "predictions").glob("*.png"))) == 3


def test_the_test_images_have_files_for_the_server_but_no_score(run, evaluated, tmp_path):
    _, _, submitted = evaluated
    images = tmp_path / "leftImg8bit" / "test" / "ulm"
    images.mkdir(parents=True)
    for image in (run.scenes / "leftImg8bit" / "val" / "ulm").iterdir():
        shutil.copy(image, images)
    words = ("--pretrained", run.best, "--eval_path", tmp_path, "--eval_split", "test")
    assert mistake(run_here("eval.py", *words)).startswith("eval_split test has no public labels: give --submit ")
    finished = run_here("eval.py", *words, "--submit", tmp_path / "submit", "--output", tmp_path / "output")
    assert (finished.code, finished.err) == (0, "")
    written = {path.name: path.read_bytes() for path in (tmp_path / "submit").iterdir()}
    assert written == {path.name: path.read_bytes() for path in submitted.iterdir()}
    assert not (tmp_path / "output").exists()


def test_pictures_of_any_size_are_segmented(run, tmp_path):
    image = next(run.scenes.glob("leftImg8bit/val/*/*.png"))
    small = Image.open(image).crop((0, 0, 41, 23))
    small.save(tmp_path / "small.jpg")
    (tmp_path / "half.jpg").write_bytes((tmp_path / "small.jpg").read_bytes()[:300])
    files = (image, tmp_path / "small.jpg", tmp_path / "half.jpg")
    finished = run_here("predict.py", "--pretrained", run.best, "--input", *files, "--output", tmp_path / "p")
    assert (finished.code, finished.err) == (0, "")
    names = {f"{stem}{ending}" for stem in (image.stem, "small") for ending in (".png", "_overlay.png")}
    assert {path.name for path in (tmp_path / "p").iterdir()} == names | {"predictions.png", "unreadable.json"}
    assert json.loads((tmp_path / "p/unreadable.json").read_text()) == {str(files[2]): "truncated"}
    with Image.open(tmp_path / "p" / "small.png") as classes:
        assert (classes.mode, classes.size) == ("P", (41, 23))
        assert set(np.unique(np.asarray(classes))) <= set(range(19))
        assert tuple(classes.getpalette()[:3]) == CITYSCAPES.palette[0]
        (scene,) = load_model(str(run.best)).predict([tmp_path / "small.jpg"])
        assert (np.asarray(classes) == scene.prediction).mean() > 0.99  # compiled or not, rounding may turn a pixel


def test_exported_files_know_classes_and_colours(run, tmp_path):
    words = ("--pretrained", run.best, "--file_name", tmp_path / "net", "--file_format", "MINDIR,ONNX")
    finished = run_here("export.py", *words)
    assert (finished.code, finished.err) == (0, "")
    card = json.loads((tmp_path / "net.onnx.json").read_text())
    assert (card["task"], card["input"]["shape"]) == ("segmentation", [1, 3, 32, 32])
    assert card["class_names"] == list(CITYSCAPES.names)
    assert card["palette"][0] == [128, 64, 128]
    assert card["preprocessing"]["mean_255"] == [123.675, 116.28, 103.53]
    assert set(card["largest_difference"]) == {"random", "real", "a batch of 3 random", "a batch of 8 random"}
    assert (tmp_path / "net.mindir").exists()


def test_an_int8_file_is_scored_by_miou(run, evaluated, tmp_path):
    options = ("--file_format", "MINDIR", "--dynamic_batch", "--quantize", "--eval_mode", "whole")
    finished = run_here("export.py", "--pretrained", run.best, "--file_name", tmp_path / "net", *options)
    assert (finished.code, finished.err) == (0, "")
    facts = json.loads((tmp_path / "net.int8.onnx.json").read_text())["quantization"]
    assert (facts["calibration_images"], facts["score"]) == (4, "miou")
    miou = json.loads((evaluated[1] / "result.json").read_text())["miou"]
    assert facts["float32"] == pytest.approx(miou, abs=1e-3)
    assert facts["int8"] == pytest.approx(miou, abs=0.05)
    assert json.loads((tmp_path / "net.mindir.json").read_text())["dynamic_batch"]


def test_mistakes_are_one_line_each(run, tmp_path):
    def told(*options):
        return mistake(train(run.scenes, tmp_path / "outputs", *options))

    scenes = run.scenes
    broken = tmp_path / "lists" / "train.txt"
    broken.parent.mkdir()
    broken.write_text("leftImg8bit/train/ulm/none.png gtFine/train/ulm/none.png\n")
    assert told("--data_list", broken.parent).startswith(
        f"{broken}, line 1: {scenes}/leftImg8bit/train/ulm/none.png is"
    )
    broken.write_text("\n")
    assert told("--data_list", broken.parent).startswith(f"{broken} is empty: ")
    assert told("--backbone", "resnext_nano") == (
        "dataset cityscapes is not for classification, which is what backbone resnext_nano does: give --dataset "
        "image_folder or mindrecord, or another --backbone"
    )
    assert told("--dataset", "image_folder").startswith("dataset image_folder is not for segmentation, which is what ")
    assert told("--class_num", 20).startswith("class_num is 20, but cityscapes, which dgcnet_nano segments, has 19 ")
    assert told("--loss_name", "ce") == "loss_name ce is for classification networks: choose one of ohem"
    assert told("--batch_size", 5).startswith("batch_size 5 x 1 devices is larger than the 4 training images: ")
    assert mistake(train(tmp_path / "none", tmp_path)).startswith(f"dataset_path: no folder {tmp_path}/none: give ")


@pytest.mark.parametrize("values", [np.full((48, 64), 34, np.uint8), np.full((48, 64), 7, np.uint16)])
def test_labels_that_are_none_are_named(run, tmp_path, values):
    scenes = tmp_path / "scenes"
    shutil.copytree(run.scenes, scenes)
    label = sorted((scenes / "gtFine" / "val" / "ulm").iterdir())[1]
    write_gray(label, values)
    line = mistake(run_here("eval.py", "--pretrained", run.best, "--eval_path", scenes, "--output", tmp_path / "o"))
    assert line.startswith(f"{label}: ")
    assert "labelIds.png" in line
