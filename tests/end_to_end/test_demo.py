"""The demo as `make demo` runs it: what the README promises, on the real digits."""

from __future__ import annotations

import json
import subprocess
import sys

from PIL import Image

from tests.support.processes import PROJECT_ROOT


def test_the_demo_learns_the_digits_and_leaves_what_it_names(tmp_path):
    command = [sys.executable, "scripts/demo.py", str(tmp_path / "demo")]
    finished = subprocess.run(
        command, cwd=PROJECT_ROOT, capture_output=True, text=True, timeout=900, check=False, stdin=subprocess.DEVNULL
    )
    assert finished.returncode == 0, finished.stdout[-3000:] + finished.stderr[-3000:]
    run = tmp_path / "demo" / "outputs" / "vig_nano_digits"
    result = json.loads((run / "evaluation" / "result.json").read_text())
    assert result["images"] == 360
    assert result["top1"] >= 0.98
    for name in ("predictions/predictions.png", "evaluation/confusion_matrix.png", "curves.png"):
        with Image.open(run / name) as picture:
            picture.verify()
    for ending in ("mindir", "onnx"):
        card = json.loads((run / "export" / f"vig_nano.{ending}.json").read_text())
        assert (run / "export" / card["file"]).stat().st_size > 100_000
        batches = {f"a batch of {size} random" for size in (3, 8)} if ending == "onnx" else set()
        assert set(card["largest_difference"]) == {"random", "real"} | batches
    assert f"Validation accuracy: {result['top1']:.2%} top-1 of 360" in finished.stdout
