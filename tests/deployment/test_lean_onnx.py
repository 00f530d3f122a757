"""Each rule that makes an ONNX file lean: it applies to what the framework writes, and changes no number."""

import mindspore as ms
import numpy as np
import onnx
import pytest
from mindspore import Tensor, nn, ops
from onnx import helper

from src.deployment.lean_onnx import lean
from src.models.layers.cpu.activation import TanhGelu
from src.models.layers.export.graphs import NamedRows, NeighbourMax
from src.models.layers.export.operators import GeluWithoutErf, PaddedMaxPool
from tests.support.onnx_models import model_of, operators, outputs

NUMBERS = np.random.default_rng(0)


def normal(*shape):
    return NUMBERS.standard_normal(shape).astype(np.float32)


class Neighbours(nn.Cell):
    """(B, 5, 4) -> (B, 5, 4): the largest of the three keys with the largest first channels of each node."""

    def __init__(self):
        super().__init__()
        self.largest = NeighbourMax(3)
        self.top_k = ops.TopK()

    def construct(self, x):
        return self.largest(x, self.top_k(ops.matmul(x, x.transpose((0, 2, 1))), 3)[1])


class Named(nn.Cell):
    """(B, 6, 4) -> (B * 6, 2, 4): two rows for each, in a table of all rows."""

    def __init__(self):
        super().__init__()
        self.rows = NamedRows()
        self.top_k = ops.TopK()

    def construct(self, x):
        return self.rows(x.reshape((-1, 4)), self.top_k(ops.matmul(x, x.transpose((0, 2, 1))), 2)[1])


class Pooled(nn.Cell):
    def __init__(self):
        super().__init__()
        self.pool = PaddedMaxPool(ceil=False)

    def construct(self, x):
        return self.pool(ops.relu(x))


class Stacked(nn.Cell):
    def construct(self, x):
        return ops.stack((x, 2.0 * x), 2)


class Normed(nn.Cell):
    def __init__(self):
        super().__init__()
        self.norm = nn.LayerNorm((4,), epsilon=1e-6)

    def construct(self, x):
        return self.norm(x)


def exported(cell, example, folder):
    """The model as the framework writes it, of any batch size."""
    ms.set_context(mode=ms.GRAPH_MODE)
    path = str(folder / "cell.onnx")
    ms.export(cell.set_train(False), Tensor(example), file_name=path, file_format="ONNX")
    model = onnx.load(path)
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "batch"
    return model


CASES = {
    "exact GELU": (GeluWithoutErf(), (2, 3, 4), {"Max", "Exp", "Relu"}, {"Erf"}),
    "tanh GELU": (TanhGelu(), (2, 3, 4), {"Sigmoid"}, {"Tanh"}),
    "neighbours": (Neighbours(), (2, 5, 4), {"Tile", "GatherElements"}, {"Gather"}),
    "named rows": (Named(), (2, 6, 4), {"Tile", "GatherElements"}, {"Gather"}),
    "LayerNorm": (Normed(), (2, 3, 4), {"ReduceSumSquare"}, {"Pow", "ReduceMean"}),
    "padded max-pool": (Pooled(), (2, 3, 8, 8), {"Pad"}, {"MaxPool"}),
    "stack": (Stacked(), (2, 3, 4), {"SequenceConstruct", "ConcatFromSequence"}, {"Concat"}),
}


@pytest.mark.parametrize(("cell", "shape", "gone", "new"), CASES.values(), ids=CASES)
def test_a_rule(cell, shape, gone, new, tmp_path):
    model = exported(cell, normal(*shape), tmp_path)
    values = 3.0 * normal(3, *shape[1:])  # another batch size
    assert gone <= operators(model)
    expected = outputs(model, values)
    lean(model)
    assert operators(model).isdisjoint(gone)
    assert new <= operators(model)
    found = outputs(model, values)
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() <= 1e-6 * np.abs(expected).max()


def test_the_pool_of_a_map_with_negative_values_keeps_its_border_of_zeros():
    border = np.array([0, 0, 1, 1, 0, 0, 1, 1], np.int64)
    model = model_of(
        helper.make_node("Pad", ["x", "border"], ["padded"]),
        helper.make_node("MaxPool", ["padded"], ["y"], kernel_shape=[3, 3], strides=[2, 2]),
        output=["n", 1, 2, 2],
        constants=[("border", border)],
    )
    assert operators(lean(model)) == {"Pad", "MaxPool"}


def test_another_gate_is_left_alone():
    nodes = helper.make_node("Sigmoid", ["x"], ["gate"]), helper.make_node("Mul", ["x", "gate"], ["y"])
    model = model_of(*nodes, output=["n", 1, 4, 4])
    assert operators(lean(model)) == {"Sigmoid", "Mul"}


def test_nodes_and_constants_that_nothing_uses_are_dropped():
    model = model_of(
        helper.make_node("Add", ["x", "unused"], ["z"]),
        helper.make_node("Relu", ["x"], ["y"]),
        output=["n", 1, 4, 4],
        constants=[("unused", np.float32(1.0))],
    )
    lean(model)
    assert operators(model) == {"Relu"}
    assert len(model.graph.initializer) == 0
