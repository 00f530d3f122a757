"""Opened exported files: their weights, and programs that give the outputs and the choices made on the way.

A choice is the result of a TopK inside the network, (..., K) indices, best first: a network that selects neighbours has
one for each of its graphs. Neither format shows inner values, so a copy of the file is given further outputs.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mindspore as ms
import numpy as np
import onnx
from mindspore import nn

from .encryption import Encryption

Outputs = list[np.ndarray]  # of a network, in its order
Choices = list[np.ndarray]  # of a network, in its order


@dataclass(frozen=True)
class ExportedFile:
    """Weights of a file by the names that the network has for them, and its program.

    Attributes:
        run: (B, 3, H, W) float32 -> outputs, choices.
        rounding: how far the program's own arithmetic may take a value, relative to the largest one.
    """

    weights: Mapping[str, np.ndarray]
    run: Callable[[np.ndarray], tuple[Outputs, Choices]]
    rounding: float = 2e-5


def open_onnx(path: Path) -> ExportedFile:
    """The ONNX file in onnxruntime, on the CPU."""
    import onnxruntime

    model = onnx.load(str(path))
    weights = {constant.name: onnx.numpy_helper.to_array(constant) for constant in model.graph.initializer}
    num_outputs = len(model.graph.output)
    watched, _ = with_choices(model)
    session = onnxruntime.InferenceSession(watched.SerializeToString(), providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name

    def run(value: np.ndarray) -> tuple[Outputs, Choices]:
        found = session.run(None, {name: value})
        return found[:num_outputs], found[num_outputs:]

    return ExportedFile(weights, run)


def with_choices(model: onnx.ModelProto) -> tuple[onnx.ModelProto, int]:
    """A copy of the model with its choices as further outputs, and how many there are."""
    watched = onnx.ModelProto()
    watched.CopyFrom(model)
    chosen = [node.output[1] for node in model.graph.node if node.op_type == "TopK"]
    watched.graph.output.extend(onnx.ValueInfoProto(name=name) for name in chosen)
    return watched, len(chosen)


def open_mindir(path: Path) -> ExportedFile:
    """The MINDIR file in the framework itself."""
    from mindspore.train import mind_ir_pb2

    model = mind_ir_pb2.ModelProto.FromString(path.read_bytes())
    watched = _with_choices(model)
    graph = nn.GraphCell(_loaded(watched) if watched else ms.load(str(path)))

    def run(value: np.ndarray) -> tuple[Outputs, Choices]:
        found = graph(ms.Tensor(value))
        outputs, *choices = found if watched else (found,)
        return arrays_of(outputs), [choice.asnumpy() for choice in choices]

    return ExportedFile(_mindir_weights(model), run)


def open_encrypted(path: Path, encryption: Encryption, plain: ExportedFile) -> ExportedFile:
    """The encrypted MINDIR in the framework; its weights and choices, which it does not show, are the plain file's."""
    graph = nn.GraphCell(ms.load(str(path), dec_key=encryption.key, dec_mode=encryption.mode))

    def run(value: np.ndarray) -> tuple[Outputs, Choices]:
        return arrays_of(graph(ms.Tensor(value))), plain.run(value)[1]

    return ExportedFile(plain.weights, run)


def arrays_of(outputs: ms.Tensor | tuple[ms.Tensor, ...]) -> Outputs:
    """All outputs of a network, one or a tuple, as arrays."""
    return [output.asnumpy() for output in (outputs if isinstance(outputs, tuple) else (outputs,))]


def _loaded(content: bytes) -> nn.Cell:
    """The graph of a MINDIR file with this content; the framework reads files only."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "watched.mindir")
        path.write_bytes(content)
        return ms.load(os.fspath(path))


def _mindir_weights(model: Any) -> dict[str, np.ndarray]:
    """The float32 tensors of a MINDIR, {name: array}."""
    tensors = [tensor for tensor in model.graph.parameter if tensor.data_type == tensor.FLOAT]
    return {tensor.name: np.frombuffer(tensor.raw_data, np.float32).reshape(tensor.dims) for tensor in tensors}


def _with_choices(model: Any) -> bytes | None:
    """The MINDIR, changed in place, whose output is (its output, *choices); None if it makes no choices."""
    kinds = {f"REF::{primitive.name}": primitive.op_type for primitive in model.primitives}
    of_top_k = {node.output[0] for node in model.graph.node if kinds.get(node.op_type) == "TopK"}
    picked = [  # of (values, indices)
        node
        for node in model.graph.node
        if kinds.get(node.op_type) == "TupleGetItem" and node.input[0] in of_top_k and _holds_integers(node)
    ]
    if not picked:
        return None
    makers = {node.output[0]: node for node in model.graph.node}
    parts = [model.graph.output[0].name, *(node.output[0] for node in picked)]
    model.primitives.add(name="watched/MakeTuple", op_type="MakeTuple")
    together = model.graph.node.add(op_type="REF::watched/MakeTuple", name="watched", input=parts, output=["watched"])
    shape = together.attribute.add(name="shape")
    shape.type = shape.TUPLE
    shape.seq_info.is_dyn_len = False
    shape.values.extend(_shape(makers[part]) for part in parts)
    del model.graph.output[:]
    model.graph.output.add(name="watched")
    return model.SerializeToString()


def _shape(node: Any) -> Any:
    """The attribute of a MINDIR node that tells the shape and type of its result."""
    return next(attribute for attribute in node.attribute if attribute.name == "shape")


def _holds_integers(node: Any) -> bool:
    tensor = _shape(node).tensors[0]
    return tensor.data_type in (tensor.INT32, tensor.INT64)
