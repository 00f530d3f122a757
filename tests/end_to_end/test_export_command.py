"""export.py: files that are compared with the network, and cards that say how to use them."""

import importlib.util
import json
from pathlib import Path

import mindspore as ms
import numpy as np
import onnxruntime
import pytest
from mindspore import nn
from PIL import Image

from src.checkpoints import load_checkpoint
from tests.support.commands import mistake, run_here, run_process
from tests.support.processes import PROJECT_ROOT


@pytest.fixture(scope="module")
def exported(reference, tmp_path_factory):
    """The folder in which export.py was called."""
    folder = tmp_path_factory.mktemp("exported")
    options = ("--pretrained", reference.best, "--file_format", "MINDIR,ONNX")
    finished = run_process("export.py", *options, cwd=folder)
    assert (finished.code, finished.err) == (0, "")
    assert finished.out.count(": exported and verified, largest difference ") == 2
    return folder


def card(path):
    return json.loads(path.read_text())


def test_the_files_are_named_like_the_network(exported):
    names = ["resnext_nano.mindir", "resnext_nano.mindir.json", "resnext_nano.onnx", "resnext_nano.onnx.json"]
    assert sorted(path.name for path in exported.iterdir() if not path.name.startswith("rank_")) == names


@pytest.mark.parametrize(("ending", "form", "dynamic"), [("mindir", "MINDIR", False), ("onnx", "ONNX", True)])
def test_the_card(exported, reference, ending, form, dynamic):
    values = card(exported / f"resnext_nano.{ending}.json")
    assert (values["file"], values["format"], values["dynamic_batch"]) == (f"resnext_nano.{ending}", form, dynamic)
    assert (values["task"], values["backbone"]) == ("classification", "resnext_nano")
    assert values["checkpoint"] == str(reference.best)
    assert values["input"] == {"shape": [1, 3, 32, 32], "type": "float32"}
    assert values["class_names"] == [str(digit) for digit in range(10)]
    preprocessing = values["preprocessing"]
    assert (preprocessing.pop("library"), preprocessing.pop("antialias")) == ("OpenCV", False)
    assert preprocessing.pop("scale") == 1 / 255
    assert preprocessing.pop("order")[:3] == ["orientation", "resize", "centre crop"]
    for key in ("orientation", "resize_meaning", "crop_offset"):
        assert isinstance(preprocessing.pop(key), str)
    assert preprocessing == {
        "image_size": 32,
        "crop_pct": 0.875,
        "resize": 36,
        "interpolation": "bilinear",
        "channels": "RGB",
        "mean": [0.485, 0.456, 0.406],
        "std": [0.229, 0.224, 0.225],
    }
    batches = {f"a batch of {size} random" for size in (3, 8)} if dynamic else set()
    assert set(values["largest_difference"]) == {"random", "real"} | batches
    assert set(values["largest_choice_loss"].values()) == {0.0}  # this network makes none
    for name, difference in values["largest_difference"].items():
        assert difference <= 1e-5 < 10 * values["allowed_difference"][name]


def test_onnx_takes_any_batch_and_computes_what_mindir_computes(exported):
    images = np.random.default_rng(1).standard_normal((3, 3, 32, 32)).astype(np.float32)
    session = onnxruntime.InferenceSession(str(exported / "resnext_nano.onnx"), providers=["CPUExecutionProvider"])
    (logits,) = session.run(None, {session.get_inputs()[0].name: images})
    assert logits.shape == (3, 10)
    graph = nn.GraphCell(ms.load(str(exported / "resnext_nano.mindir")))
    one_by_one = [graph(ms.Tensor(images[index : index + 1])).asnumpy() for index in range(3)]
    np.testing.assert_allclose(logits, np.concatenate(one_by_one), atol=1e-5)


def test_the_averaged_weights_are_exported(exported, reference):
    session = onnxruntime.InferenceSession(str(exported / "resnext_nano.onnx"), providers=["CPUExecutionProvider"])
    zeros = np.zeros((1, 3, 32, 32), np.float32)
    (logits,) = session.run(None, {session.get_inputs()[0].name: zeros})
    checkpoint = load_checkpoint(reference.best)
    biases = [weights["fc.bias"] for weights in (checkpoint.weights(True), checkpoint.weights(False))]
    assert not np.array_equal(*biases)
    assert card(exported / "resnext_nano.onnx.json")["largest_difference"]["real"] < 1e-5
    assert logits.shape == (1, 10)


def test_a_name_and_a_batch_can_be_given(reference, tmp_path):
    options = ("--file_name", tmp_path / "sub" / "net.mindir", "--batch_size", 2)
    assert run_here("export.py", "--pretrained", reference.best, *options).code == 0
    assert sorted(path.name for path in (tmp_path / "sub").iterdir()) == ["net.mindir", "net.mindir.json"]
    assert card(tmp_path / "sub" / "net.mindir.json")["input"]["shape"] == [2, 3, 32, 32]


def test_mindir_of_any_batch_size_and_encrypted(reference, tmp_path):
    key = tmp_path / "key"
    key.write_bytes(b"0123456789abcdef\n")
    options = ("--pretrained", reference.best, "--file_name", tmp_path / "net", "--enc_key_file", key)
    finished = run_here(
        "export.py", *options, "--enc_mode", "aes-cbc", "--dynamic_batch", "--file_format", '["MINDIR"]'
    )
    assert (finished.code, finished.err) == (0, "")
    assert "a batch of 8 random input" in finished.out
    values = card(tmp_path / "net.mindir.json")
    assert (values["dynamic_batch"], values["encryption"]) == (True, "AES-CBC")
    assert "0123456789abcdef" not in finished.out + json.dumps(values)
    graph = nn.GraphCell(ms.load(str(tmp_path / "net.mindir"), dec_key=b"0123456789abcdef", dec_mode="AES-CBC"))
    assert graph(ms.Tensor(np.zeros((5, 3, 32, 32), np.float32))).shape == (5, 10)
    assert mistake(run_here("export.py", *options, "--file_format", "MINDIR,ONNX")) == (
        "enc_key_file encrypts MINDIR only, file_format is MINDIR,ONNX: export MINDIR alone"
    )
    assert mistake(run_here("export.py", *options[:4], "--file_format", "ONNX", "--dynamic_batch")) == (
        "dynamic_batch is for MINDIR (ONNX takes any batch size anyway): add it to file_format"
    )


def test_formats_that_cannot_be_written(reference, tmp_path):
    options = ("--pretrained", reference.best, "--file_name", tmp_path / "net", "--file_format")
    assert mistake(run_here("export.py", *options, "AIR")) == (
        "file_format AIR can be written on Ascend only, device_target is CPU: give MINDIR"
    )
    assert mistake(run_here("export.py", *options, "MINDIR,TFLITE")) == (
        "file_format: TFLITE is not one of MINDIR, ONNX, AIR, LITE"
    )
    assert mistake(run_here("export.py", *options, "LITE", "--lite_python", "/nowhere/python")) == (
        "/nowhere/python is not a Python 3.7 with mindspore-lite 2.0.0 and numpy: give --lite_python PYTHON, or export "
        f"ONNX and convert it where there is one: python scripts/onnx_to_lite.py {tmp_path}/net.onnx "
        f"{tmp_path}/net.lite.mindir --lite_python PYTHON"
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("antialias", [0, 1])
def test_a_program_that_knows_the_json_only_gets_the_products_classes(reference, tmp_path, capsys, antialias):
    """Digits as a camera sees them: large and noisy, so that the way of shrinking decides."""
    files = [_photographed(file, tmp_path / "val") for file in sorted((reference.digits / "val").rglob("*.png"))]
    options = ("--pretrained", reference.best, "--antialias", antialias)
    assert run_here("export.py", *options, "--file_format", "ONNX", "--file_name", tmp_path / "net").code == 0
    assert run_here("predict.py", *options, "--input", tmp_path / "val", "--output", tmp_path / "p").code == 0
    evaluated = run_here("eval.py", *options, "--eval_path", tmp_path / "val", "--output", tmp_path / "e")
    assert evaluated.code == 0, evaluated
    spec = importlib.util.spec_from_file_location("predict_onnx", PROJECT_ROOT / "examples/predict_onnx.py")
    spec.loader.exec_module(program := importlib.util.module_from_spec(spec))
    capsys.readouterr()
    program.main(str(tmp_path / "net.onnx"), *map(str, files))
    lines = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    records = card(tmp_path / "p/predictions.json")
    assert [tuple(line) for line in lines] == [(record["file"], record["labels"][0]) for record in records]
    right = sum(Path(file).parent.name == label for file, label in lines)
    assert card(tmp_path / "e/result.json")["top1"] == right / len(files)


def _photographed(file, root):
    pixels = np.asarray(Image.open(file).resize((400, 300)), float)
    noise = np.random.default_rng(int(file.stem)).normal(0, 40, (300, 400, 1))
    target = root / file.parent.name / file.name
    target.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.clip(pixels + noise, 0, 255).astype(np.uint8)).save(target)
    return target
