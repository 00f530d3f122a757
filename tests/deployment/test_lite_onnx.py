"""Each rule for MindSpore Lite: what it fails at is gone, and no number changes."""

import numpy as np
import onnx
import pytest
from onnx import helper

from src.deployment.lite_onnx import for_lite
from tests.support.onnx_models import model_of, operators, outputs

make = helper.make_node
WEIGHT = ("w", np.random.default_rng(1).standard_normal((4, 4)).astype(np.float32))
NOTHING = np.array([], np.int64)

CASES = {
    "sequence joined along a new axis": (
        (
            make("Neg", ["x"], ["z"]),
            make("SequenceConstruct", ["x", "z"], ["s"]),
            make("ConcatFromSequence", ["s"], ["y"], axis=1, new_axis=1),
        ),
        ["n", 2, 1, 4, 4],
        (),
        {"Neg", "Unsqueeze", "Concat"},
    ),
    "sequence joined along an old axis": (
        (make("SequenceConstruct", ["x", "x"], ["s"]), make("ConcatFromSequence", ["s"], ["y"], axis=2)),
        ["n", 1, 8, 4],
        (),
        {"Concat"},
    ),
    "slice of no axis": (
        (
            make("Slice", ["x", "none", "none", "none", "none"], ["z"]),
            make("Identity", ["z"], ["i"]),
            make("Neg", ["i"], ["y"]),
        ),
        ["n", 1, 4, 4],
        (("none", NOTHING),),
        {"Neg"},
    ),
    "sum of squares that others read too": (
        (make("ReduceSumSquare", ["x"], ["s"], axes=[3], keepdims=1), make("Div", ["x", "s"], ["y"])),
        ["n", 1, 4, 4],
        (),
        {"Mul", "ReduceSum", "Div"},
    ),
    "relu of a product that others read too": (
        (make("MatMul", ["x", "w"], ["p"]), make("Relu", ["p"], ["r"]), make("Sub", ["r", "p"], ["y"])),
        ["n", 1, 4, 4],
        (WEIGHT,),
        {"MatMul", "Max", "Sub"},
    ),
    "relu of a product that nothing else reads": (
        (make("MatMul", ["x", "w"], ["p"]), make("Relu", ["p"], ["y"])),
        ["n", 1, 4, 4],
        (WEIGHT,),
        {"MatMul", "Relu"},
    ),
    "largest": ((make("ReduceMax", ["x"], ["y"], axes=[2], keepdims=0),), ["n", 1, 4], (), {"Neg", "ReduceMin"}),
}


@pytest.mark.parametrize(("nodes", "output", "constants", "expected"), CASES.values(), ids=CASES)
def test_a_rule(nodes, output, constants, expected):
    model = model_of(*nodes, output=output, constants=constants)
    values = np.random.default_rng(0).standard_normal((3, 1, 4, 4)).astype(np.float32)
    before = outputs(model, values)
    for_lite(model)
    assert operators(model) == expected
    after = outputs(model, values)
    assert after.shape == before.shape
    np.testing.assert_allclose(after, before, rtol=1e-6)
    onnx.checker.check_model(model, full_check=True)
