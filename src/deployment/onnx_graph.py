"""ONNX graph in which rules replace nodes by better ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable

import numpy as np
import onnx
from onnx import ModelProto, NodeProto, helper, numpy_helper


class OnnxGraph:
    """The graph of a model, and what its nodes make and use.

    Args:
        model: it is changed in place.
    """

    def __init__(self, model: ModelProto):
        self.model = model
        self.outputs = {output.name for output in model.graph.output}
        self.constants = {constant.name: numpy_helper.to_array(constant) for constant in model.graph.initializer}
        for node in model.graph.node:
            if node.op_type == "Constant":
                self.constants[node.output[0]] = numpy_helper.to_array(attributes(node)["value"])
        self._index()

    def _index(self) -> None:
        self._makers = {name: node for node in self.model.graph.node for name in node.output}
        self._uses = Counter(name for node in self.model.graph.node for name in node.input)

    def maker(self, name: str, *op_types: str) -> NodeProto | None:
        """The node that makes a value; None if it is none of `op_types`."""
        node = self._makers.get(name)
        return node if node is not None and node.op_type in op_types else None

    def constant(self, name: str) -> np.ndarray | None:
        """The value, before a cast, if it is known beforehand."""
        cast = self.maker(name, "Cast")
        return self.constants.get(cast.input[0] if cast else name)

    def holds(self, name: str, value: float) -> bool:
        """Whether a value is known to be this number, to float32's precision."""
        known = self.constant(name)
        return known is not None and known.size == 1 and bool(np.isclose(known.item(), value, rtol=1e-6, atol=0))

    def num_uses(self, name: str) -> int:
        """How many inputs of nodes a value is."""
        return self._uses[name]

    def new_constant(self, name: str, value: np.ndarray) -> str:
        """The name of a constant, added unless it is there."""
        if name not in self.constants:
            self.constants[name] = value
            self.model.graph.initializer.append(numpy_helper.from_array(value, name))
        return name

    def apply(self, rule: Callable[[OnnxGraph, NodeProto], list[NodeProto] | None]) -> None:
        """Replace each node for which the rule returns others; the last of these makes what the node made."""
        nodes: list[NodeProto] = []
        for node in self.model.graph.node:
            replaced = rule(self, node)
            nodes += [node] if replaced is None else replaced
        self._set(nodes)

    def forward(self, passing: Callable[[OnnxGraph, NodeProto], bool]) -> None:
        """Drop the nodes that do nothing: their users take their first input."""
        same: dict[str, str] = {}
        nodes = []
        for node in self.model.graph.node:
            node.input[:] = [same.get(name, name) for name in node.input]
            if node.output and node.output[0] not in self.outputs and passing(self, node):
                same[node.output[0]] = node.input[0]
            else:
                nodes.append(node)
        self._set(nodes)

    def finish(self) -> ModelProto:
        """The checked model without nodes and constants that nothing uses."""
        needed, nodes = set(self.outputs), []
        for node in reversed(self.model.graph.node):
            if not needed.isdisjoint(node.output):
                needed.update(node.input)
                nodes.append(node)
        self._set(reversed(nodes))
        constants = [constant for constant in self.model.graph.initializer if constant.name in needed]
        del self.model.graph.initializer[:]
        self.model.graph.initializer.extend(constants)
        onnx.checker.check_model(self.model)
        return self.model

    def _set(self, nodes: Iterable[NodeProto]) -> None:
        nodes = list(nodes)
        del self.model.graph.node[:]
        self.model.graph.node.extend(nodes)
        self._index()


def attributes(node: NodeProto) -> dict:
    """{name: value}"""
    return {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}


def chain(result: str, *steps: tuple) -> list[NodeProto]:
    """Nodes one after the other; each is (operator, inputs, attributes), in whose inputs None is the result before.

    The last one makes `result`.
    """
    nodes: list[NodeProto] = []
    for number, (op_type, inputs, *rest) in enumerate(steps, start=1):
        names = [nodes[-1].output[0] if name is None else name for name in inputs]
        made = result if number == len(steps) else f"{result}/{op_type}{number}"
        nodes.append(helper.make_node(op_type, names, [made], name=made, **(rest[0] if rest else {})))
    return nodes
