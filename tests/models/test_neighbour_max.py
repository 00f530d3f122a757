"""The largest value among the neighbours, in the three formulations."""

import mindspore as ms
import numpy as np
import pytest
from mindspore import Tensor, nn, ops

from src.models.layers import LayerContext, neighbour_max
from src.models.layers.cpu.neighbour_max import CpuNeighbourMax
from src.models.layers.export.graphs import NeighbourMax as ExportNeighbourMax
from src.models.layers.nodes import NeighbourMax


@pytest.fixture(autouse=True, params=[ms.PYNATIVE_MODE, ms.GRAPH_MODE], ids=["eager", "compiled"])
def mode(request):
    ms.set_context(mode=request.param)


KEYS = np.array([[[1, 8], [3, 2], [7, 2]], [[0, 5], [6, 1], [2, 4]]], np.float32)  # 2 images, 3 nodes, 2 channels
NEIGHBOURS = np.array([[[0, 1], [1, 2], [2, 0], [0, 0]], [[1, 2], [0, 2], [2, 1], [1, 0]]], np.int32)
LARGEST = [[[3, 8], [7, 2], [7, 8], [1, 8]], [[6, 4], [2, 5], [6, 4], [6, 5]]]


@pytest.mark.parametrize("cell", [CpuNeighbourMax(2), ExportNeighbourMax(2), NeighbourMax(2)])
def test_values(cell):
    assert cell(Tensor(KEYS), Tensor(NEIGHBOURS)).asnumpy().tolist() == LARGEST


@pytest.mark.parametrize("cell", [CpuNeighbourMax(2), ExportNeighbourMax(2), NeighbourMax(2)])
def test_gradient_goes_to_the_winners(cell):
    class OfKeys(nn.Cell):
        def __init__(self):
            super().__init__()
            self.cell = cell

        def construct(self, keys):
            return self.cell(keys, Tensor(neighbours))

    # Distinct neighbours and no ties: what happens among equals is the framework's choice in the standard form.
    keys = np.random.default_rng(0).permutation(2 * 6 * 3).reshape(2, 6, 3).astype(np.float32)
    neighbours = np.array([[[0, 1], [1, 2], [4, 5]], [[1, 2], [0, 3], [5, 3]]], np.int32)
    dout = np.arange(1, 19, dtype=np.float32).reshape(2, 3, 3)
    expected = np.zeros_like(keys)
    for image, node, channel in np.ndindex(2, 3, 3):
        winner = max(neighbours[image, node], key=lambda row: keys[image, row, channel])
        expected[image, winner, channel] += dout[image, node, channel]
    gradient = ops.GradOperation(sens_param=True)(OfKeys())(Tensor(keys), Tensor(dout))
    np.testing.assert_array_equal(gradient.asnumpy(), expected)


def test_among_equals_the_first_takes_the_gradient():
    class OfKeys(nn.Cell):
        def __init__(self):
            super().__init__()
            self.cell = CpuNeighbourMax(3)

        def construct(self, keys):
            return self.cell(keys, Tensor([[[2, 0, 1]]], ms.int32))

    gradient = ops.GradOperation(sens_param=True)(OfKeys())(Tensor([[[4.0], [4.0], [3.0]]]), Tensor([[[5.0]]]))
    assert gradient.asnumpy().ravel().tolist() == [5, 0, 0]


def test_choice_by_context():
    assert type(neighbour_max(9, LayerContext())) is CpuNeighbourMax
    assert type(neighbour_max(9, LayerContext(device="Ascend"))) is NeighbourMax
    assert type(neighbour_max(9, LayerContext(exporting=True))) is ExportNeighbourMax
