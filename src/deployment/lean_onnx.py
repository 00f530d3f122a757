"""Rules that make an exported ONNX file lean: operators that the framework's export lacks, for what stands in for them.

Each rule takes a node that ends what it replaces, and returns the new nodes, or None where it does not apply. Both
compute the same; runtimes recognise the new ones and fuse them.
"""

from __future__ import annotations

from math import pi, sqrt

import numpy as np
from onnx import ModelProto, NodeProto

from .onnx_graph import OnnxGraph, attributes, chain

GATE = 2 * sqrt(2 / pi)  # 0.5 (1 + tanh(u)) = sigmoid(2 u), u = sqrt(2 / pi) (x + CUBE x^3)
CUBE = 0.044715


def lean(model: ModelProto) -> ModelProto:
    """The model, changed in place, after all rules."""
    graph = OnnxGraph(model)
    graph.forward(is_float_cast)
    for rule in (exact_gelu, tanh_gelu, gathered_rows, mean_square, padded_max_pool, stacked):
        graph.apply(rule)
    return graph.finish()


def is_float_cast(graph: OnnxGraph, node: NodeProto) -> bool:
    """A cast to float32 of a constant that is float32 already."""
    if node.op_type != "Cast" or attributes(node)["to"] != 1:
        return False
    known = graph.constants.get(node.input[0])
    return known is not None and known.dtype == np.float32


def exact_gelu(graph: OnnxGraph, node: NodeProto) -> list[NodeProto] | None:
    """relu(x) - |x| * tail(|x|), as `layers/export/operators.GeluWithoutErf` has it -> 0.5 x (1 + erf(x / sqrt(2)))."""
    if node.op_type != "Sub":
        return None
    relu, product = graph.maker(node.input[0], "Relu"), graph.maker(node.input[1], "Mul")
    size = product and graph.maker(product.input[0], "Max")
    tail = product and graph.maker(product.input[1], "Mul")
    if not relu or not size or not tail or not graph.maker(tail.input[1], "Exp"):
        return None
    x = relu.input[0]
    negative = graph.maker(size.input[1], "Neg")
    if size.input[0] != x or not negative or negative.input[0] != x:
        return None
    return chain(
        node.output[0],
        ("Div", [x, _number(graph, sqrt(2))]),
        ("Erf", [None]),
        ("Add", [None, _number(graph, 1.0)]),
        ("Mul", [x, None]),
        ("Mul", [None, _number(graph, 0.5)]),
    )


def tanh_gelu(graph: OnnxGraph, node: NodeProto) -> list[NodeProto] | None:
    """x * sigmoid(x (a + b x^2)) -> 0.5 x (1 + tanh(...)), which is the same."""
    x = node.input[0] if node.op_type == "Mul" else None
    gate = x and graph.maker(node.input[1], "Sigmoid")
    product = gate and graph.maker(gate.input[0], "Mul")
    polynomial = product and graph.maker(product.input[1], "Add")
    scaled = polynomial and graph.maker(polynomial.input[1], "Mul")
    square = scaled and graph.maker(scaled.input[0], "Mul")
    if not square or product.input[0] != x or list(square.input) != [x, x]:
        return None
    if not (graph.holds(polynomial.input[0], GATE) and graph.holds(scaled.input[1], GATE * CUBE)):
        return None
    half = chain(f"{node.output[0]}/half", ("Mul", [x, _number(graph, 0.5)]))
    return half + chain(
        node.output[0],
        ("Pow", [x, _number(graph, 3.0)]),
        ("Mul", [None, _number(graph, CUBE)]),
        ("Add", [x, None]),
        ("Mul", [None, _number(graph, GATE / 2)]),
        ("Tanh", [None]),
        ("Add", [None, _number(graph, 1.0)]),
        ("Mul", [half[0].output[0], None]),
    )


def gathered_rows(graph: OnnxGraph, node: NodeProto) -> list[NodeProto] | None:
    """Rows of (B, M, C) by numbers (B, J, 1), repeated for every channel -> the same by numbers in the whole batch."""
    if node.op_type != "GatherElements" or attributes(node).get("axis") != 1:
        return None
    tile = graph.maker(node.input[1], "Tile")
    repeats = graph.constant(tile.input[1]) if tile else None
    if repeats is None or list(repeats[:2]) != [1, 1]:
        return None
    table, numbers, result = node.input[0], tile.input[0], node.output[0]
    first = _first_rows(graph, table, result)
    return [
        *first,
        *chain(f"{result}/rows", ("Reshape", [table, _shape(graph, -1, repeats[2])])),
        *chain(
            result,
            ("Cast", [numbers], {"to": 7}),
            ("Add", [None, first[-1].output[0]]),
            ("Squeeze", [None], {"axes": [2]}),
            ("Gather", [f"{result}/rows", None], {"axis": 0}),
        ),
    ]


def _first_rows(graph: OnnxGraph, table: str, result: str) -> list[NodeProto]:
    """(B, 1, 1): the number of each image's first row among all rows of a table (B, M, C)."""
    sizes = f"{result}/sizes"
    zero, one = (graph.new_constant(f"lean/integer {value}", np.array(value, np.int64)) for value in (0, 1))
    return [
        *chain(sizes, ("Shape", [table])),
        *chain(f"{result}/num_rows", ("Gather", [sizes, one], {"axis": 0})),
        *chain(
            f"{result}/first",
            ("Gather", [sizes, zero], {"axis": 0}),
            ("Range", [zero, None, one]),
            ("Mul", [None, f"{result}/num_rows"]),
            ("Reshape", [None, _shape(graph, -1, 1, 1)]),
        ),
    ]


def mean_square(graph: OnnxGraph, node: NodeProto) -> list[NodeProto] | None:
    """A sum of squares over the last axis divided by its length -> the mean of squares, as in LayerNorm."""
    if node.op_type != "Div":
        return None
    total = graph.maker(node.input[0], "ReduceSumSquare")
    number = graph.constant(node.input[1])
    if total is None or number is None or number.size != 1:
        return None
    known = {name: value for name, value in attributes(total).items() if name in ("axes", "keepdims")}
    return chain(node.output[0], ("Pow", [total.input[0], _number(graph, 2.0)]), ("ReduceMean", [None], known))


def padded_max_pool(graph: OnnxGraph, node: NodeProto) -> list[NodeProto] | None:
    """A max-pool of a never negative map with a border of zeros -> one whose own border counts for nothing."""
    pad = graph.maker(node.input[0], "Pad") if node.op_type == "MaxPool" else None
    widths = graph.constant(pad.input[1]) if pad else None
    if widths is None or not graph.maker(pad.input[0], "Relu") or widths[[0, 1, 4, 5]].any():
        return None
    own = attributes(node)
    if any(own.get("pads", [])) or own.get("auto_pad", b"NOTSET") not in (b"NOTSET", b"VALID"):
        return None
    kept = {name: value for name, value in own.items() if name in ("kernel_shape", "strides")}
    return chain(node.output[0], ("MaxPool", [pad.input[0]], kept | {"pads": widths[[2, 3, 6, 7]].tolist()}))


def stacked(graph: OnnxGraph, node: NodeProto) -> list[NodeProto] | None:
    """Tensors put into a sequence and joined -> joined, along a new axis where that is asked for."""
    sequence = graph.maker(node.input[0], "SequenceConstruct") if node.op_type == "ConcatFromSequence" else None
    if sequence is None:
        return None
    own, result, parts, nodes = attributes(node), node.output[0], list(sequence.input), []
    if own.get("new_axis", 0):
        for number, part in enumerate(parts):
            nodes += chain(f"{result}/part{number}", ("Unsqueeze", [part], {"axes": [own["axis"]]}))
        parts = [made.output[0] for made in nodes]
    return nodes + chain(result, ("Concat", parts, {"axis": own["axis"]}))


def _number(graph: OnnxGraph, value: float) -> str:
    return graph.new_constant(f"lean/float {value:.7g}", np.array(value, np.float32))


def _shape(graph: OnnxGraph, *sides: int) -> str:
    return graph.new_constant(f"lean/sides {' '.join(map(str, sides))}", np.array(sides, np.int64))
