"""A third task and a sixth family, each one record and a line, from outside src: every command serves them."""

import json
from functools import partial

import numpy as np
import pytest
from PIL import Image

from src.checkpoints import load_checkpoint
from tests.support.commands import run_here
from tests.support.few_digits import write_few_digits
from tests.support.images import write_image

toys = partial(run_here, "tests.support.with_toys")
RECIPE = """
device_target: CPU
train_image_size: 32
batch_size: 8
train_num_workers: 2
max_epoch: 4
warmup_epochs: 0
lr_max: 0.003
weight_decay: 0.0
"""


@pytest.fixture(scope="module")
def bright(tmp_path_factory):
    """A recipe, a data set and a finished training of the toy task, which was interrupted once."""
    root = tmp_path_factory.mktemp("bright")
    (root / "toy.yml").write_text(RECIPE + "backbone: toy_regressor\nclass_num: 1\n")
    random = np.random.default_rng(0)
    for split, count in (("train", 32), ("val", 10)):
        for number, level in enumerate(random.uniform(0.1, 0.9, count)):
            write_image(
                root / f"data/{split}/{level:.3f}_{number}.png", np.full((40, 40, 3), round(level * 255), np.uint8)
            )
    options = ("--config_path", root / "toy.yml", "--dataset_path", root / "data")
    options += ("--save_checkpoint_path", root / "outputs")
    begun = toys("train.py", *options, "--max_steps", 6)
    assert (begun.code, begun.err) == (0, ""), begun
    resumed = toys("train.py", *options, "--resume", "auto")
    assert (resumed.code, resumed.err) == (0, ""), resumed
    whole = toys("train.py", *options, "--name", "whole", "--report", 0)
    assert (whole.code, whole.err) == (0, ""), whole
    return root


def test_a_third_task_trains_and_resumes_to_the_same_bits(bright):
    runs = {name: load_checkpoint(bright / f"outputs/{name}/ckpt/last.ckpt").meta for name in ("toy", "whole")}
    assert runs["toy"]["step"] == runs["whole"]["step"] == 16
    assert runs["toy"]["sha256"] == runs["whole"]["sha256"]
    assert (runs["toy"]["task"], runs["toy"]["class_names"]) == ("brightness", ["brightness"])
    records = [json.loads(line) for line in (bright / "outputs/toy/metrics.jsonl").read_text().splitlines()]
    assert [record["negative_error"] for record in records] == [-record["squared_error"] for record in records]
    assert records[-1]["squared_error"] < 0.8 * records[0]["squared_error"]
    assert "squared error" in (bright / "outputs/toy/report.html").read_text()


def test_a_third_task_is_evaluated_predicts_and_exports(bright, tmp_path):
    best = ("--pretrained", bright / "outputs/toy/ckpt/best.ckpt")
    evaluated = toys("eval.py", *best, "--output", tmp_path / "evaluation")
    assert (evaluated.code, evaluated.err) == (0, ""), evaluated
    summary = json.loads((tmp_path / "evaluation/result.json").read_text())
    assert f"INFO:squared error {summary['squared_error']:.6f}\n" in evaluated.out
    assert {path.name for path in (tmp_path / "evaluation").iterdir()} == {"result.json", "error.txt", "report.html"}

    predicted = toys("predict.py", *best, "--input", bright / "data/val", "--output", tmp_path / "predictions")
    assert (predicted.code, predicted.err) == (0, ""), predicted
    found = json.loads((tmp_path / "predictions/brightness.json").read_text())
    truth = {name: float(name.rsplit("/", 1)[1].split("_")[0]) for name in found}
    errors = [(found[name] - truth[name]) ** 2 for name in found]
    assert np.mean(errors) == pytest.approx(summary["squared_error"], rel=1e-3)

    exported = toys("export.py", *best, "--file_format", "MINDIR,ONNX", "--file_name", tmp_path / "toy")
    assert (exported.code, exported.err) == (0, ""), exported
    assert exported.out.count("exported and verified") == 2
    assert json.loads((tmp_path / "toy.onnx.json").read_text())["output"] == "brightness, 0-1"


def test_looks_at_a_third_tasks_data(bright, tmp_path):
    options = ("--config_path", bright / "toy.yml", "--dataset_path", bright / "data")
    assert toys("train.py", *options, "--check_dataset", 1).out.startswith("32 pictures\n")
    assert toys("train.py", *options, "--show_batch", tmp_path / "a.png").code == 0
    assert (tmp_path / "a.png").stat().st_size > 1000


def test_a_sixth_family_is_fine_tuned_with_layer_decay_and_shows_its_graphs(tmp_path):
    (tmp_path / "toy.yml").write_text(RECIPE + "backbone: toy_classifier\nclass_num: 10\nlayer_decay: 0.5\n")
    digits = write_few_digits(tmp_path / "digits")
    options = ("--config_path", tmp_path / "toy.yml", "--dataset_path", digits)
    trained = toys("train.py", *options, "--save_checkpoint_path", tmp_path, "--max_epoch", 2)
    assert (trained.code, trained.err) == (0, ""), trained
    last = tmp_path / "toy/ckpt/last.ckpt"
    assert load_checkpoint(last).meta["step"] == 16
    picture = sorted((digits / "val").rglob("*.png"))[0]
    options = ("--input", picture, "--output", tmp_path / "predictions", "--show_graph", 1)
    shown = toys("predict.py", "--pretrained", last, *options)
    assert (shown.code, shown.err) == (0, ""), shown
    height, width = np.asarray(Image.open(tmp_path / f"predictions/graphs/{picture.name}")).shape[:2]
    assert 0.9 < width / height < 1.1  # three nodes below each other; the picture and two blocks side by side
    mistaken = toys("predict.py", "--pretrained", last, *options, "--nodes", 64)
    assert (mistaken.code, mistaken.err.count("toy_classifier has 8 x 8 in its first layer")) == (2, 1), mistaken


def test_a_network_without_a_seed_needs_a_recipe():
    finished = toys("train.py", "--backbone", "toy_classifier", "--dataset_path", "nowhere")
    assert (finished.code, finished.err) == (
        2,
        "error: backbone toy_classifier has no recipe of its own: give --config_path RECIPE, or a network of "
        "--list_models 1\n",
    )
