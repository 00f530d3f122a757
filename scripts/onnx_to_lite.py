"""Program that rewrites an exported ONNX file for MindSpore Lite 2.0's converter and runs the converter.

    python scripts/onnx_to_lite.py MODEL.onnx TARGET.mindir [--lite_python PYTHON] [--overwrite 1]
        PYTHON has mindspore-lite 2.0.0 (CPython 3.7 only); without it, the rewritten ONNX and the command are left.

The .mindir runs on a CPU (ascend310_infer/, DEVICE_TARGET=CPU). For Ascend take the MINDIR of export.py.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import onnx
from google.protobuf.message import DecodeError

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from src.config import UserError
from src.deployment.card import card_path, keep_with_card
from src.deployment.lite import NEEDED, check_python, convert
from src.deployment.lite_onnx import for_lite
from src.runtime.entry import run_command
from src.runtime.files import check_new, complete_file, temporary_folder


def main(argv: list[str]) -> int:
    """Convert the file; the card of the ONNX goes with the result."""
    options = _parser().parse_args(argv)
    target = options.target if options.lite_python else options.target.with_suffix(".lite.onnx")
    check_new("TARGET", target, options.overwrite)
    card, model = _opened(options.source)
    rewritten = for_lite(model)
    if not options.lite_python:
        with complete_file(target) as partial:
            onnx.save(rewritten, str(partial))
        raise UserError(f"{target} is rewritten; to convert it, give --lite_python, {NEEDED}")
    check_python(options.lite_python, "give another --lite_python")
    with temporary_folder(target) as folder:
        convert(rewritten, folder / target.name, card["input"]["shape"], options.lite_python)
        converted = {"file": target.name, "format": "MINDIR of MindSpore Lite 2.0", "dynamic_batch": False}
        keep_with_card(folder / target.name, card | converted, target)
    print(f"{target}: converted; compare it with Python before you use it (docs/cpp.md)")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="onnx_to_lite.py", description="ONNX -> MINDIR of MindSpore Lite 2.0.")
    parser.add_argument("source", type=Path, metavar="MODEL.onnx")
    parser.add_argument("target", type=Path, metavar="TARGET.mindir")
    parser.add_argument("--lite_python", default="", help="a Python 3.7 with mindspore-lite 2.0.0")
    parser.add_argument("--overwrite", type=int, nargs="?", const=1, default=0, help="1: replace TARGET")
    return parser


def _opened(source: Path) -> tuple[dict, onnx.ModelProto]:
    """The card and the model."""
    card = card_path(source)
    if not source.is_file() or not card.is_file():
        raise UserError(f"{source} or {card} is missing: export both, python export.py --file_format ONNX")
    try:
        return json.loads(card.read_text(encoding="utf-8")), onnx.load(str(source))
    except (ValueError, DecodeError):
        raise UserError(f"{source} or {card} is damaged: export both again") from None


if __name__ == "__main__":
    sys.exit(run_command(main))
