"""onnx_to_lite.py: it replaces nothing unasked, and its mistakes are one line. Conversions: tests/end_to_end."""

from __future__ import annotations

import json

import onnx
import pytest
from onnx import helper

from scripts.onnx_to_lite import main
from src.deployment.lite import NEEDED
from tests.support.onnx_models import model_of, operators
from tests.support.user_errors import message_of


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "net.onnx"
    onnx.save(model_of(helper.make_node("ReduceSumSquare", ["x"], ["y"], axes=[3]), output=["n", 1, 4, 1]), str(path))
    (tmp_path / "net.onnx.json").write_text(json.dumps({"input": {"shape": [1, 1, 4, 4]}}))
    return path


def test_without_the_converter_the_rewritten_file_is_left(source, tmp_path):
    words = [str(source), str(tmp_path / "net.mindir")]
    left = tmp_path / "net.lite.onnx"
    expected = f"{left} is rewritten; to convert it, give --lite_python, {NEEDED}"
    assert message_of(main, words) == expected
    assert operators(onnx.load(str(left))) == {"Mul", "ReduceSum"}
    left.write_bytes(b"earlier")
    assert message_of(main, words).startswith(f"TARGET: {left} exists already: give another name, or --overwrite 1")
    assert left.read_bytes() == b"earlier"
    assert message_of(main, [*words, "--overwrite", "1"]) == expected
    assert left.read_bytes() != b"earlier"


def test_an_existing_target_is_kept(source, tmp_path):
    target = tmp_path / "net.mindir"
    target.write_bytes(b"earlier")
    assert message_of(main, [str(source), str(target), "--lite_python", "python3.7"]).startswith(
        f"TARGET: {target} exists already"
    )


def test_damaged_files(source, tmp_path):
    words = [str(source), str(tmp_path / "net.mindir")]
    source.write_bytes(b"\xff" * 50)
    assert message_of(main, words) == f"{source} or {source}.json is damaged: export both again"
    source.unlink()
    assert message_of(main, words).startswith(f"{source} or {source}.json is missing: export both, ")
    assert [path.name for path in tmp_path.iterdir()] == ["net.onnx.json"]
