"""The neighbour search and the Grapher against recorded unit cases."""

import mindspore as ms
import numpy as np
import pytest
from mindspore import Tensor, nn, ops

from src.models.layers import LayerContext
from src.models.layers.nodes import NearestNeighbours
from src.models.vig.blocks import Grapher
from src.models.vig.variants import AUTHORS
from tests.golden import reader
from tests.golden.names import torch_name

FACTS, ARRAYS = reader.read_units()


@pytest.fixture(autouse=True, params=[ms.PYNATIVE_MODE, ms.GRAPH_MODE], ids=["eager", "compiled"])
def mode(request):
    ms.set_context(mode=request.param)


def rows(key, shape):
    """A unit input (B, C, N, 1) as (B, N, C)."""
    return Tensor(reader.unit_array(key, shape)[..., 0].transpose(0, 2, 1))


@pytest.mark.parametrize(("k", "dilation"), [(9, 1), (9, 2), (12, 3)])
def test_neighbours_in_order_of_distance(k, dilation):
    x = rows(100, (2, 32, 49, 1))
    found = NearestNeighbours(k * dilation, dilation, normalize=True)(x, x)
    np.testing.assert_array_equal(found.asnumpy(), ARRAYS[f"knn.self.k{k}d{dilation}"])


def test_neighbours_among_other_nodes_with_positions():
    x, y = rows(101, (2, 32, 64, 1)), rows(102, (2, 32, 16, 1))
    relative_pos = Tensor(reader.unit_array(103, (1, 64, 16), 0.2))
    found = NearestNeighbours(10, 2, normalize=True)(x, y, relative_pos)
    np.testing.assert_array_equal(found.asnumpy(), ARRAYS["knn.xy_relpos.k5d2"])


CASES = {
    "grapher_r1": ((2, 32, 7, 7), 110, {"k": 9, "dilation": 2}),
    "grapher_r2": ((2, 48, 8, 8), 111, {"k": 9, "dilation": 1, "reduction": 2}),
}


def build(case: str) -> nn.Cell:
    shape, _, graph = CASES[case]
    table = ARRAYS.get(f"{case}.relative_pos")
    cell = Grapher(shape[1], drop_rate=0.0, form=AUTHORS, context=LayerContext(), relative_pos=table, **graph)
    for name, parameter in cell.parameters_and_names():
        if reader.is_generated(name):
            parameter.set_data(Tensor(reader.weight(torch_name(name), parameter.shape)))
    return cell


@pytest.mark.parametrize("phase", ["eval", "train"])
@pytest.mark.parametrize("case", CASES)
def test_grapher(case, phase):
    shape, key, _ = CASES[case]
    cell = build(case).set_train(phase == "train")
    x = Tensor(reader.unit_array(key, shape))
    np.testing.assert_allclose(cell(x).asnumpy(), ARRAYS[f"{case}.{phase}.out"], atol=1e-5)

    weights = ms.ParameterTuple(cell.trainable_params())
    names = [torch_name(parameter.name) for parameter in weights]
    gradient = ops.GradOperation(get_all=True, get_by_list=True, sens_param=True)(cell, weights)
    dinputs, dweights = gradient(x, Tensor(reader.unit_array(999, shape)))
    facts = FACTS[case][phase]
    dinput = dinputs[0].asnumpy()
    assert np.linalg.norm(dinput) == pytest.approx(facts["grad_input_norm"], rel=1e-5)
    np.testing.assert_allclose(reader.sample(dinput, 64), ARRAYS[f"{case}.{phase}.grad_input_slice"], atol=1e-4)
    norms = {name: float(np.linalg.norm(g.asnumpy())) for name, g in zip(names, dweights, strict=True)}
    # The absolute bound is for biases in front of a BatchNorm, whose true gradient is zero.
    assert norms == pytest.approx(facts["grad_norms"], rel=1e-5, abs=1e-3)
