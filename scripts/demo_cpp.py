"""Demo of the C++ inference on a CPU: digits and drawn scenes, each by OpenVINO and by MindSpore Lite.

python scripts/demo_cpp.py [FOLDER]     # default: demo/cpp

The models are trained ones that lie in tests/ascend310_infer/models (how they were made: make_models.py beside it).
"""

from __future__ import annotations

import lzma
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MODELS = ROOT / "tests" / "ascend310_infer" / "models"
BACKENDS = {".onnx": "OpenVINO", ".mindir": "MindSpore Lite"}


@dataclass(frozen=True)
class Flow:
    """One data set and the network that it is for."""

    network: str
    data: str
    create: str


FLOWS = (
    Flow("vig_nano", "digits", "scripts/create_digits.py"),
    Flow("dgcnet_nano", "scenes", "scripts/create_scenes.py"),
)


def main(words: list[str]) -> int:
    """Set up, create the data, run each network by each backend; a failing step ends the demo with its exit code."""
    folder = Path(words[0] if words else ROOT / "demo" / "cpp").absolute()
    folder.mkdir(parents=True, exist_ok=True)
    _run("bash", "scripts/setup_cpp.sh")
    scores = []
    for flow in FLOWS:
        data = folder / flow.data
        if not data.exists():
            _run(sys.executable, flow.create, "--output", str(data))
        for ending, backend in BACKENDS.items():
            results = folder / f"{flow.network}{ending.replace('.', '_')}"
            scores.append((flow.network, backend, scores_of(unpack(flow.network + ending, results), data, results)))
    print(f"\nResults below {folder}:")
    for network, backend, score in scores:
        print(f"  {network:12} {backend:15} {score}")
    return 0


def unpack(name: str, folder: Path) -> Path:
    """The kept model `name` with its JSON, in the folder; returns its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_bytes(lzma.decompress((MODELS / f"{name}.xz").read_bytes()))
    shutil.copyfile(MODELS / f"{name}.json", f"{path}.json")
    return path


def scores_of(model: Path, data: Path, folder: Path) -> str:
    """Run the flow of the seeds in the folder; returns the line of acc.log."""
    settings = ("env", "DEVICE_TARGET=CPU", f"PYTHON={sys.executable}")
    _run(*settings, "bash", str(ROOT / "scripts" / "run_infer_310.sh"), str(model), str(data), cwd=folder)
    return (folder / "acc.log").read_text(encoding="utf-8").strip()


def _run(*words: str, cwd: Path = ROOT) -> None:
    print(f"\n$ {' '.join(words)}", flush=True)
    finished = subprocess.run(words, cwd=cwd, check=False)
    if finished.returncode:
        sys.exit(finished.returncode)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
