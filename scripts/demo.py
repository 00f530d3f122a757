"""The demo: each step is a command that could be typed; this program shows it, runs it and times it.

python scripts/demo.py [FOLDER]     # default: demo
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def main(words: list[str]) -> int:
    """Run the steps below a folder; a failing one ends the demo with its exit code."""
    folder = Path(words[0] if words else "demo")
    data, outputs = folder / "digits", folder / "outputs"
    began = time.perf_counter()
    seconds = {"data": _run("scripts/create_digits.py", str(data))}
    train = ["--config_path", "config/vig/vig_nano_digits.yml", "--dataset_path", str(data)]
    seconds["train"] = _run("train.py", *train, "--save_checkpoint_path", str(outputs))
    run = max((ROOT / outputs).iterdir(), key=lambda path: (path / "ckpt" / "last.ckpt").stat().st_mtime)
    run = outputs / run.name
    best = ["--pretrained", str(run / "ckpt" / "best.ckpt")]
    seconds["evaluate"] = _run("eval.py", *best, "--output", str(run / "evaluation"))
    exported = run / "export" / "vig_nano"
    seconds["export"] = _run("export.py", *best, "--file_format", "MINDIR,ONNX", "--file_name", str(exported))
    predictions = run / "predictions"
    seconds["predict"] = _run("predict.py", *best, "--input", str(data / "val"), "--output", str(predictions))
    _summary(run, seconds, time.perf_counter() - began)
    return 0


def _run(script: str, *arguments: str) -> float:
    print(f"\n$ python {script} {' '.join(arguments)}", flush=True)
    began = time.perf_counter()
    finished = subprocess.run([sys.executable, script, *arguments], cwd=ROOT, check=False)
    if finished.returncode:
        sys.exit(finished.returncode)
    return time.perf_counter() - began


def _summary(run: Path, seconds: dict[str, float], total: float) -> None:
    result = json.loads((ROOT / run / "evaluation" / "result.json").read_text())
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024**2
    steps = ", ".join(f"{name} {value:.0f} s" for name, value in seconds.items())
    print(f"\nDone in {total:.0f} s ({steps}); peak memory {peak:.2f} GB.")
    print(f"Validation accuracy: {result['top1']:.2%} top-1 of {result['images']} handwritten digits.")
    print("Look at")
    for name in ("predictions/predictions.png", "evaluation/confusion_matrix.png", "curves.png", "train.log"):
        print(f"  {run / name}")
    print(f"  {run / 'export'} (MINDIR and ONNX, verified)")
    print('Next: python train.py --help, or your own pictures: README.md, "Your own data".')


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
