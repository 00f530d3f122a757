"""Small ONNX models, and what onnxruntime computes with them."""

import numpy as np
import onnx
import onnxruntime
from onnx import helper


def model_of(*nodes, output, constants=()):
    """A model x (n, 1, 4, 4) -> the last node's result, of shape `output`; constants: (name, array) pairs."""
    value = helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, ["n", 1, 4, 4])
    result = helper.make_tensor_value_info(nodes[-1].output[0], onnx.TensorProto.FLOAT, output)
    tensors = [onnx.numpy_helper.from_array(np.asarray(array), name) for name, array in constants]
    graph = helper.make_graph(nodes, "graph", [value], [result], tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], ir_version=4)


def outputs(model, value):
    """The model's first output for this input."""
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: value})[0]


def operators(model):
    return {node.op_type for node in model.graph.node}
