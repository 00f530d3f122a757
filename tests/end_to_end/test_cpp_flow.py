"""From a checkpoint to acc.log: export.py, the converter of MindSpore Lite and the C++ program agree with eval.py."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.support.commands import run_process
from tests.support.processes import PROJECT_ROOT

THIRD_PARTY = PROJECT_ROOT / "ascend310_infer" / "third_party"
LITE_PYTHON = THIRD_PARTY / "python37" / "bin" / "python"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def exported(reference, tmp_path_factory):
    """The ONNX of the reference run's best checkpoint."""
    if not (THIRD_PARTY / "openvino").is_dir():
        pytest.skip("OpenVINO not found: bash scripts/setup_cpp.sh")
    path = tmp_path_factory.mktemp("cpp") / "resnext_nano.onnx"
    options = ("--pretrained", reference.best, "--file_format", "ONNX", "--file_name", path)
    assert run_process("export.py", *options, cwd=path.parent).code == 0
    return path


@pytest.fixture(scope="module")
def expected(reference, tmp_path_factory):
    """The line that eval.py's scores give."""
    folder = tmp_path_factory.mktemp("evaluated") / "evaluation"
    assert run_process("eval.py", "--pretrained", reference.best, "--output", folder).code == 0
    result = json.loads((folder / "result.json").read_text())
    return (
        f"Total data: {result['images']}, top1 accuracy: {result['top1']:.5f}, top5 accuracy: {result['top5']:.5f}.\n"
    )


def scores(model, data, folder):
    """acc.log of the seeds' command."""
    environment = {name: value for name, value in os.environ.items() if name != "GLOG_v"}
    environment |= {"DEVICE_TARGET": "CPU", "PYTHON": sys.executable}
    words = ["bash", PROJECT_ROOT / "scripts" / "run_infer_310.sh", model, data]
    subprocess.run(words, cwd=folder, env=environment, capture_output=True, timeout=300, check=True)
    return (folder / "acc.log").read_text()


def test_an_exported_file_scores_as_its_checkpoint(exported, expected, reference, tmp_path):
    assert scores(exported, reference.digits, tmp_path) == expected


def test_a_converted_file_scores_as_its_checkpoint(exported, expected, reference, tmp_path):
    if not LITE_PYTHON.exists():
        pytest.skip("the converter needs a Python 3.7: LITE_PYTHON37=... bash scripts/setup_cpp.sh")
    model = tmp_path / "resnext_nano.mindir"
    finished = run_process("scripts/onnx_to_lite.py", exported, model, "--lite_python", LITE_PYTHON)
    assert finished.code == 0, finished
    assert scores(model, reference.digits, tmp_path) == expected
