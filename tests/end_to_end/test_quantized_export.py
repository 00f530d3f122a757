"""export.py --quantize: an int8 file with what it loses, or one line and nothing."""

import json

import onnx
import onnxruntime
import pytest

from src.checkpoints import load_checkpoint
from src.commands.export import export, write_file
from src.config import read_config
from src.runtime.session import Session
from tests.support.commands import mistake, run_here


def operators(path):
    return {node.op_type for node in onnx.load(str(path)).graph.node}


def test_a_classifier(reference, tmp_path):
    options = ("--pretrained", reference.best, "--file_format", "ONNX", "--file_name", tmp_path / "net", "--quantize")
    finished = run_here("export.py", *options)
    assert finished.code == 0, finished
    names = ["net.int8.onnx", "net.int8.onnx.json", "net.onnx", "net.onnx.json"]
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    card = json.loads((tmp_path / "net.int8.onnx.json").read_text())
    facts = card["quantization"]
    assert (facts["calibration_images"], facts["score"]) == (64, "top1")
    assert f"top1 {facts['float32']:.4f} as float32, {facts['int8']:.4f} as int8" in finished.out
    assert facts["float32"] == json.loads((reference.folder / "metrics.jsonl").read_text().splitlines()[-1])["top1"]
    assert abs(facts["float32"] - facts["int8"]) <= 0.2  # 20 images
    assert (card["format"], card["dynamic_batch"]) == ("ONNX", True)
    assert {"QuantizeLinear", "DequantizeLinear"} <= operators(tmp_path / "net.int8.onnx")
    assert (tmp_path / "net.int8.onnx").stat().st_size < 0.5 * (tmp_path / "net.onnx").stat().st_size
    session = onnxruntime.InferenceSession(str(tmp_path / "net.int8.onnx"), providers=["CPUExecutionProvider"])
    assert session.get_inputs()[0].shape == ["batch", 3, 32, 32]


@pytest.mark.parametrize(("form", "exports"), [("ONNX", ["ONNX"]), ("MINDIR", ["MINDIR", "ONNX"])])
def test_the_float32_file_is_exported_once(reference, tmp_path, monkeypatch, form, exports):
    done = []

    def noted(network, example, path, file_format, options):
        done.append(file_format)
        return write_file(network, example, path, file_format, options)

    monkeypatch.setattr("src.commands.export.write_file", noted)
    # Log and device of the tests' own process stay as they are.
    monkeypatch.setattr("src.commands.export.start", lambda *_: Session("CPU", rank=0, num_ranks=1, isa=""))
    options = ("--pretrained", reference.best, "--file_format", form, "--file_name", tmp_path / "net", "--quantize")
    assert export(read_config([str(word) for word in options], "export", load_checkpoint)) == 0
    assert done == exports
    names = {path.name.removesuffix(".json") for path in tmp_path.iterdir()}
    assert names == {f"net.{form.lower()}", "net.int8.onnx"}


def test_mistakes(reference, tmp_path):
    options = ("--pretrained", reference.best, "--file_name", tmp_path / "net", "--quantize", 1)
    line = mistake(run_here("export.py", *options, "--dataset_path", tmp_path / "nowhere"))
    assert line.startswith("quantize needs images to set the ranges, and validation images: ")
    assert str(tmp_path / "nowhere") in line
    (tmp_path / "net.int8.onnx").touch()
    assert mistake(run_here("export.py", *options)).startswith(f"file_name: {tmp_path}/net.int8.onnx exists already")
    assert [path.name for path in tmp_path.iterdir()] == ["net.int8.onnx"]
