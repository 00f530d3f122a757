"""Program that rewrites an exported ONNX file for MindSpore Lite 2.0's converter and runs the converter.

    python scripts/onnx_to_lite.py MODEL.onnx TARGET.mindir [--lite_python PYTHON]
        PYTHON has mindspore-lite 2.0.0 (CPython 3.7 only); without it, the rewritten ONNX and the command are left.

The .mindir runs on a CPU (ascend310_infer/, DEVICE_TARGET=CPU). For Ascend take the MINDIR of export.py.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
import onnx
from onnx import ModelProto, NodeProto, helper, numpy_helper

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from src.config import UserError
from src.runtime.entry import run_command
from src.runtime.files import write_atomically

_CONVERT = """
import sys
import mindspore_lite as lite
source, target, name, *shape = sys.argv[1:]
converter = lite.Converter()
converter.save_type = lite.ModelType.MINDIR
converter.optimize = "general"
converter.input_shape = {name: [int(side) for side in shape]}
converter.convert(lite.FmkType.ONNX, source, target)
"""


def main(argv: list[str]) -> int:
    """Convert the file; the card of the ONNX goes with the result."""
    parser = argparse.ArgumentParser(prog="onnx_to_lite.py", description="ONNX -> MINDIR of MindSpore Lite 2.0.")
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("--lite_python", default="", help="a Python 3.7 with mindspore-lite 2.0.0")
    options = parser.parse_args(argv)
    card = _card(options.source)
    rewritten = fixed(onnx.load(str(options.source)))
    if not options.lite_python:
        left = options.target.with_suffix(".lite.onnx")
        onnx.save(rewritten, str(left))
        raise UserError(
            f"{left} is rewritten; to convert it, give --lite_python, a Python 3.7 with mindspore-lite 2.0.0"
        )
    _convert(rewritten, options.target, card["input"]["shape"], options.lite_python)
    card |= {"file": options.target.name, "format": "MINDIR of MindSpore Lite 2.0", "dynamic_batch": False}
    card["sha256"] = hashlib.sha256(options.target.read_bytes()).hexdigest()
    write_atomically(Path(f"{options.target}.json"), json.dumps(card, indent=2, ensure_ascii=False).encode())
    print(f"{options.target}: converted; compare it with Python before you use it (docs/cpp.md)")
    return 0


def fixed(model: ModelProto) -> ModelProto:
    """The model without what Lite 2.0 refuses or computes wrongly: sequences, empty slices, ReduceSumSquare, Relu.

    Two of them give wrong numbers without an error: ReduceSumSquare squares its input in place although others read
    it, and a Relu after a Gemm is fused into it although others read the Gemm's value.
    """
    graph = model.graph
    outputs = {output.name for output in graph.output}
    constants = {constant.name: numpy_helper.to_array(constant) for constant in graph.initializer}
    sequences = {node.output[0]: list(node.input) for node in graph.node if node.op_type == "SequenceConstruct"}
    uses = Counter(name for node in graph.node for name in node.input)
    makers = {name: node.op_type for node in graph.node for name in node.output}
    same: dict[str, str] = {}
    nodes: list[NodeProto] = []
    for node in graph.node:
        node.input[:] = [same.get(name, name) for name in node.input]
        if node.op_type == "SequenceConstruct":
            continue
        if _does_nothing(node, constants) and node.output[0] not in outputs:
            same[node.output[0]] = node.input[0]
        elif node.op_type == "ConcatFromSequence":
            nodes += _concatenation(node, [same.get(name, name) for name in sequences[node.input[0]]])
        elif node.op_type == "ReduceSumSquare":
            nodes += _sum_of_squares(node)
        elif node.op_type == "Relu" and uses[node.input[0]] > 1 and makers.get(node.input[0]) in ("Gemm", "MatMul"):
            nodes.append(helper.make_node("Max", [node.input[0], _ZERO], list(node.output), name=node.name))
        else:
            nodes.append(node)
    graph.initializer.append(numpy_helper.from_array(np.zeros((), np.float32), _ZERO))
    del graph.node[:]
    graph.node.extend(nodes)
    onnx.checker.check_model(model)
    return model


_ZERO = "lite/zero"


def _does_nothing(node: NodeProto, constants: dict[str, np.ndarray]) -> bool:
    if node.op_type == "Slice":
        starts = constants.get(node.input[1])
        return starts is not None and starts.size == 0
    return node.op_type == "Identity"


def _concatenation(node: NodeProto, parts: list[str]) -> list[NodeProto]:
    attributes = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
    axis, result = attributes["axis"], node.output[0]
    nodes = []
    if attributes.get("new_axis", 0):
        names = [f"{result}/unsqueeze{number}" for number in range(len(parts))]
        nodes = [
            helper.make_node("Unsqueeze", [part], [name], name=name, axes=[axis])
            for part, name in zip(parts, names, strict=True)
        ]
        parts = names
    return [*nodes, helper.make_node("Concat", parts, [result], name=result, axis=axis)]


def _sum_of_squares(node: NodeProto) -> list[NodeProto]:
    square = f"{node.output[0]}/square"
    product = helper.make_node("Mul", [node.input[0], node.input[0]], [square], name=square)
    total = NodeProto()
    total.CopyFrom(node)
    total.op_type, total.input[0] = "ReduceSum", square
    return [product, total]


def _card(source: Path) -> dict:
    card = Path(f"{source}.json")
    if not source.is_file() or not card.is_file():
        raise UserError(f"{source} or {card} is missing: export both, python export.py --file_format ONNX")
    return json.loads(card.read_text(encoding="utf-8"))


def _convert(model: ModelProto, target: Path, shape: list[int], python: str) -> None:
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".lite-") as folder:
        source, made = Path(folder, "model.onnx"), Path(folder, "model.mindir")
        onnx.save(model, str(source))
        words = [str(source), str(made.with_suffix("")), model.graph.input[0].name, *map(str, shape)]
        done = subprocess.run([python, "-c", _CONVERT, *words], capture_output=True, text=True, check=False)
        if not made.exists():
            raise UserError(
                f"{python}: mindspore-lite did not convert the model: {(done.stderr or done.stdout)[-300:]}"
            )
        made.chmod(0o644)
        made.replace(target)


if __name__ == "__main__":
    sys.exit(run_command(main))
