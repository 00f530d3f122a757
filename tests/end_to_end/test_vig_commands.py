"""All four commands on a graph network."""

import json

import pytest

from tests.support.commands import run_here


@pytest.mark.slow
def test_vig_nano_from_training_to_prediction(tiny, tmp_path):
    short = ("--backbone", "vig_nano", "--max_epoch", 1, "--warmup_epochs", 0)
    assert run_here("train.py", *tiny.options, *short).code == 0
    weights = ("--pretrained", tiny.last)
    assert run_here("eval.py", *weights).code == 0
    result = json.loads((tiny.folder / "evaluation" / "result.json").read_text())
    assert result["top1"] == tiny.records[0]["top1"]
    exported = run_here("export.py", *weights, "--file_format", "MINDIR,ONNX", "--file_name", tmp_path / "vig")
    assert (exported.code, exported.err) == (0, "")
    pictures = ("--input", tiny.digits / "val", "--output", tmp_path / "predictions")
    assert run_here("predict.py", *weights, *pictures).code == 0
    predictions = json.loads((tmp_path / "predictions" / "predictions.json").read_text())
    assert sum(item["labels"][0] == item["truth"] for item in predictions) == 20 * result["top1"]
