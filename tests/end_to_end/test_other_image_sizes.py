"""A checkpoint at another image size: the tables that depend on it are resized, and the log says so."""

import json

import numpy as np
import pytest

from src.checkpoints import load_checkpoint
from src.models import create_model
from src.models.layers import resize_bicubic
from tests.golden.names import torch_name
from tests.support.commands import mistake, run_here
from tests.support.runs import TinyRun
from tests.support.weights_files import write_torch

# With a learning rate this small the weights that were taken are still to be seen.
SHORT = ("--max_epoch", 1, "--warmup_epochs", 0, "--lr_max", 1e-12, "--weight_decay", 0, "--ema_decay", 0)


def _checkpoint(name, folder):
    """A converted checkpoint of fresh weights for 32 pixels, position embeddings drawn at random."""
    arrays = {torch_name(key): p.asnumpy() for key, p in create_model(name, 10).parameters_and_names()}
    generator = np.random.default_rng(0)
    for key in [key for key in arrays if key.startswith("pos_embed")]:
        arrays[key] = generator.standard_normal(arrays[key].shape).astype(np.float32)
    source, target = write_torch(folder / "x.pth", arrays), folder / f"{name}.ckpt"
    assert run_here("convert.py", "--backbone", name, "--input", source, "--output", target).code == 0
    return target


@pytest.fixture(scope="module")
def pyramid(tmp_path_factory):
    return _checkpoint("pvig_nano", tmp_path_factory.mktemp("pvig"))


def _train(digits, parent, backbone, *options):
    words = ("--backbone", backbone, "--drop_path_rate", 0, "--pretrained", *options)
    finished = run_here("train.py", *TinyRun(digits, parent).options, *words, *SHORT)
    assert (finished.code, finished.err) == (0, "")
    return finished.out, TinyRun(digits, parent).load()


@pytest.mark.slow
def test_fine_tuning_at_another_size(pyramid, digits, tmp_path):
    # Evaluated at 32 pixels while it trains at 64.
    sizes = ("--train_image_size", 64, "--eval_image_size", 32, "--eval_interval", 1)
    out, tuned = _train(digits, tmp_path, "pvig_nano", pyramid, *sizes)
    assert "INFO:resized to images of 64 pixels: pos_embed, backbone.0.0.relative_pos, " in out
    source = load_checkpoint(pyramid).tensors
    expected = resize_bicubic(source["pos_embed"], 32)
    np.testing.assert_allclose(tuned.tensors["pos_embed"], expected, atol=1e-6)
    fresh = create_model("pvig_nano", 10, 64).parameters_dict()["backbone.0.0.relative_pos"].asnumpy()
    np.testing.assert_array_equal(tuned.tensors["backbone.0.0.relative_pos"], fresh)
    np.testing.assert_allclose(tuned.tensors["backbone.0.0.fc1.0.weight"], source["backbone.0.0.fc1.0.weight"])


def test_evaluation_at_another_size(pyramid, digits, tmp_path):
    options = ("--pretrained", pyramid, "--eval_path", digits / "val", "--output", tmp_path / "o")
    finished = run_here("eval.py", *options, "--eval_image_size", 64, "--context_mode", 1)
    assert (finished.code, finished.err) == (0, "")
    assert "INFO:resized to images of 64 pixels: pos_embed, backbone.0.0.relative_pos, " in finished.out
    assert json.loads((tmp_path / "o" / "result.json").read_text())["images"] == 20


@pytest.mark.slow
@pytest.mark.parametrize("name", ["vig_nano", "hlg_nano"])
def test_other_networks_and_commands(name, digits, tmp_path):
    checkpoint = _checkpoint(name, tmp_path)
    said = "INFO:resized to images of 64 pixels: pos_embed"
    assert said in _train(digits, tmp_path / "outputs", name, checkpoint, "--train_image_size", 64)[0]
    options = ("--pretrained", checkpoint, "--eval_image_size", 64)
    predicted = run_here("predict.py", *options, "--input", digits / "val", "--output", tmp_path / "p")
    assert (predicted.code, said in predicted.out) == (0, True)
    exported = run_here("export.py", *options, "--file_name", tmp_path / name, "--file_format", "ONNX")
    assert (exported.code, said in exported.out) == (0, True)
    assert json.loads((tmp_path / f"{name}.onnx.json").read_text())["input"]["shape"][2:] == [64, 64]


def test_a_size_that_cannot_be(pyramid, digits, tmp_path):
    folders = ("--input", digits / "val", "--output", tmp_path / "o")
    line = mistake(run_here("predict.py", "--pretrained", pyramid, "--eval_image_size", 36, *folders))
    assert line.startswith("backbone pvig_nano: image_size is 36; pvig_nano takes 24, 32, 40, ")
    assert list(tmp_path.iterdir()) == []
