"""Rules that adapt an ONNX file to MindSpore Lite 2.0, which refuses some operators and computes others wrongly.

Wrong numbers without an error come from three: ReduceSumSquare squares its input in place although others read it, a
Relu after a matrix product is fused into it although others read the product, and ReduceMax starts from 0.
"""

from __future__ import annotations

import numpy as np
from onnx import ModelProto, NodeProto

from .lean_onnx import stacked
from .onnx_graph import OnnxGraph, attributes, chain


def for_lite(model: ModelProto) -> ModelProto:
    """The model, changed in place, after all rules."""
    graph = OnnxGraph(model)
    graph.forward(does_nothing)
    for rule in (stacked, sum_of_squares, separate_relu, largest):
        graph.apply(rule)
    return graph.finish()


def does_nothing(graph: OnnxGraph, node: NodeProto) -> bool:
    """Identity, and a Slice of no axis, at which Lite fails."""
    if node.op_type == "Slice":
        starts = graph.constant(node.input[1])
        return starts is not None and starts.size == 0
    return node.op_type == "Identity"


def sum_of_squares(graph: OnnxGraph, node: NodeProto) -> list[NodeProto] | None:
    """ReduceSumSquare -> the sum of a product."""
    if node.op_type != "ReduceSumSquare":
        return None
    return chain(node.output[0], ("Mul", [node.input[0]] * 2), ("ReduceSum", [None], attributes(node)))


def separate_relu(graph: OnnxGraph, node: NodeProto) -> list[NodeProto] | None:
    """Relu of a matrix product that others read too -> the larger of it and 0."""
    if node.op_type != "Relu" or graph.num_uses(node.input[0]) < 2:
        return None
    if not graph.maker(node.input[0], "Gemm", "MatMul"):
        return None
    zero = graph.new_constant("lite/zero", np.array(0.0, np.float32))
    return chain(node.output[0], ("Max", [node.input[0], zero]))


def largest(_graph: OnnxGraph, node: NodeProto) -> list[NodeProto] | None:
    """ReduceMax -> the negative of the smallest negative."""
    if node.op_type != "ReduceMax":
        return None
    return chain(node.output[0], ("Neg", [node.input[0]]), ("ReduceMin", [None], attributes(node)), ("Neg", [None]))
