"""Program that rewrites an exported ONNX file for MindSpore Lite 2.0's converter and runs the converter.

    python scripts/onnx_to_lite.py MODEL.onnx TARGET.mindir [--lite_python PYTHON]
        PYTHON has mindspore-lite 2.0.0 (CPython 3.7 only); without it, the rewritten ONNX and the command are left.

The .mindir runs on a CPU (ascend310_infer/, DEVICE_TARGET=CPU). For Ascend take the MINDIR of export.py.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from pathlib import Path

import onnx

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from src.config import UserError
from src.deployment.lite import NEEDED, check_python, convert
from src.deployment.lite_onnx import for_lite
from src.runtime.entry import run_command
from src.runtime.files import write_atomically


def main(argv: list[str]) -> int:
    """Convert the file; the card of the ONNX goes with the result."""
    parser = argparse.ArgumentParser(prog="onnx_to_lite.py", description="ONNX -> MINDIR of MindSpore Lite 2.0.")
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("--lite_python", default="", help="a Python 3.7 with mindspore-lite 2.0.0")
    options = parser.parse_args(argv)
    card = _card(options.source)
    rewritten = for_lite(onnx.load(str(options.source)))
    if not options.lite_python:
        left = options.target.with_suffix(".lite.onnx")
        onnx.save(rewritten, str(left))
        raise UserError(f"{left} is rewritten; to convert it, give --lite_python, {NEEDED}")
    check_python(options.lite_python, "give another --lite_python")
    convert(rewritten, options.target, card["input"]["shape"], options.lite_python)
    card |= {"file": options.target.name, "format": "MINDIR of MindSpore Lite 2.0", "dynamic_batch": False}
    card["sha256"] = hashlib.sha256(options.target.read_bytes()).hexdigest()
    write_atomically(Path(f"{options.target}.json"), json.dumps(card, indent=2, ensure_ascii=False).encode())
    print(f"{options.target}: converted; compare it with Python before you use it (docs/cpp.md)")
    return 0


def _card(source: Path) -> dict:
    card = Path(f"{source}.json")
    if not source.is_file() or not card.is_file():
        raise UserError(f"{source} or {card} is missing: export both, python export.py --file_format ONNX")
    return json.loads(card.read_text(encoding="utf-8"))


if __name__ == "__main__":
    sys.exit(run_command(main))
