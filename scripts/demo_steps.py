"""Steps of the demos: each is an ordinary command that is printed, run and timed."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, kw_only=True)
class Demo:
    """One demo.

    Attributes:
        folder: default output folder.
        create: the program that creates the data set, with the option for its folder.
        data: name of the data set's folder.
        recipe: of the training.
        network: its name, which is also that of the exported files.
        validation: images to predict, relative to the data set's folder.
        result: makes the summary line from result.json.
        pictures: files of the run folder that the summary names.
        following: hint for the next step.
    """

    folder: str
    create: tuple[str, ...]
    data: str
    recipe: str
    network: str
    validation: str
    result: Callable[[dict], str]
    pictures: tuple[str, ...]
    following: str


def run_demo(demo: Demo, words: list[str]) -> int:
    """Run the steps in the folder given by `words`; a failing step ends the demo with its exit code."""
    folder = Path(words[0] if words else demo.folder)
    data, outputs = folder / demo.data, folder / "outputs"
    began = time.perf_counter()
    seconds = {"data": _run(*demo.create, str(data))}
    train = ["--config_path", demo.recipe, "--dataset_path", str(data)]
    seconds["train"] = _run("train.py", *train, "--save_checkpoint_path", str(outputs))
    run = max((ROOT / outputs).iterdir(), key=lambda path: (path / "ckpt" / "last.ckpt").stat().st_mtime)
    run = outputs / run.name
    best = ["--pretrained", str(run / "ckpt" / "best.ckpt")]
    seconds["evaluate"] = _run("eval.py", *best, "--output", str(run / "evaluation"))
    exported = run / "export" / demo.network
    seconds["export"] = _run("export.py", *best, "--file_format", "MINDIR,ONNX", "--file_name", str(exported))
    predictions = run / "predictions"
    pictures = str(data / demo.validation)
    seconds["predict"] = _run("predict.py", *best, "--input", pictures, "--output", str(predictions))
    _summary(demo, run, seconds, time.perf_counter() - began)
    return 0


def _run(script: str, *arguments: str) -> float:
    print(f"\n$ python {script} {' '.join(arguments)}", flush=True)
    began = time.perf_counter()
    finished = subprocess.run([sys.executable, script, *arguments], cwd=ROOT, check=False)
    if finished.returncode:
        sys.exit(finished.returncode)
    return time.perf_counter() - began


def _summary(demo: Demo, run: Path, seconds: dict[str, float], total: float) -> None:
    result = json.loads((ROOT / run / "evaluation" / "result.json").read_text())
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024**2
    steps = ", ".join(f"{name} {value:.0f} s" for name, value in seconds.items())
    print(f"\nDone in {total:.0f} s ({steps}); peak memory {peak:.2f} GB.")
    print(demo.result(result))
    print("Results:")
    for name in demo.pictures:
        print(f"  {run / name}")
    print(f"  {run / 'export'} (MINDIR and ONNX, verified)")
    print(demo.following)
