"""DGMN2's sampling, attention and relative positions against recorded unit cases."""

import mindspore as ms
import numpy as np
import pytest
from mindspore import Tensor, nn, ops

from src.models.dgmn2.attention import RelativePosition, SampledAttention
from src.models.layers import TAPS, LayerContext, Sampling, named_rows
from tests.golden import reader

FACTS, ARRAYS = reader.read_units()
DEVICES = pytest.mark.parametrize("device", ["CPU", "GPU"])  # both run on the CPU: the latter is the standard operators


@pytest.fixture(autouse=True, params=[ms.PYNATIVE_MODE, ms.GRAPH_MODE], ids=["eager", "compiled"])
def mode(request):
    ms.set_context(mode=request.param)


class Unfold(nn.Cell):
    """The 9 samples of every pixel, (B, C, H, W) and offsets (B, 18, H, W) -> (B, 9 C, H W).

    The network itself never builds them: each sample is a mixture of its own, of the 4 pixels around it.
    """

    def __init__(self, height: int, width: int, context: LayerContext):
        super().__init__()
        self.sampling = Sampling(height, width, num_heads=1)
        num_nodes = 2 * height * width  # of two images, whose nodes `construct` numbers as one's
        self.number, _, self.mix = named_rows(num_nodes, context)

    def by_sample(self, values):
        """(B, N, 1, 36) -> (B, 9 N, 1, 4)."""
        batch, num_nodes = values.shape[:2]
        values = values.reshape((batch, num_nodes, 4, TAPS)).transpose((0, 1, 3, 2))
        return values.reshape((batch, num_nodes * TAPS, 1, 4))

    def construct(self, x, offsets):
        batch, channels, height, width = x.shape
        num_nodes = height * width
        rows = x.reshape((batch, channels, num_nodes)).transpose((0, 2, 1)).reshape((-1, channels))
        offsets = offsets.reshape((batch, TAPS, 2, num_nodes)).transpose((0, 3, 2, 1))
        pixels, weights = self.sampling.corners(offsets.reshape((batch, num_nodes, 1, 2 * TAPS)))
        # Numbering counts an image's rows by its nodes: 9 samples a node name rows of the same map.
        first = ops.arange(batch).astype(ms.int32).reshape((batch, 1, 1, 1)) * num_nodes
        numbers = self.number((self.by_sample(pixels) + first).reshape((1, -1, 1, 4)))
        sampled = self.mix(self.by_sample(weights).reshape((-1, 4)), rows, *numbers)
        sampled = sampled.reshape((batch, num_nodes, TAPS, channels)).transpose((0, 3, 2, 1))
        return sampled.reshape((batch, channels * TAPS, num_nodes))


def gradients(cell, inputs, upstream):
    """(gradients of the inputs, {parameter: gradient}) for a given gradient of the output."""
    weights = ms.ParameterTuple(cell.trainable_params())
    if not weights:
        return ops.GradOperation(get_all=True, sens_param=True)(cell)(*inputs, upstream), {}
    differentiate = ops.GradOperation(get_all=True, get_by_list=True, sens_param=True)
    dinputs, dweights = differentiate(cell, weights)(*inputs, upstream)
    return dinputs, {parameter.name: g.asnumpy() for parameter, g in zip(weights, dweights, strict=True)}


def fill(cell):
    for name, parameter in cell.parameters_and_names():
        parameter.set_data(Tensor(reader.weight(name, parameter.shape)))
    return cell


def norms(arrays):
    return {name: float(np.linalg.norm(array)) for name, array in arrays.items()}


@DEVICES
def test_samples_between_pixels(device):
    x = Tensor(reader.unit_array(120, (2, 3, 6, 5)))
    offsets = Tensor(reader.unit_array(121, (2, 18, 6, 5), 1.5))
    unfold = Unfold(6, 5, LayerContext(device=device))
    np.testing.assert_allclose(unfold(x, offsets).asnumpy(), ARRAYS["deform_unfold.out"], atol=1e-6)
    (dx, doffsets), _ = gradients(unfold, (x, offsets), Tensor(reader.unit_array(122, (2, 27, 30))))
    np.testing.assert_allclose(dx.asnumpy(), ARRAYS["deform_unfold.grad_x"], atol=1e-5)
    np.testing.assert_allclose(doffsets.asnumpy(), ARRAYS["deform_unfold.grad_offset"], atol=1e-5)


@DEVICES
def test_attention(device):
    cell = fill(SampledAttention(64, num_heads=2, side=6, context=LayerContext(device=device)))
    x = Tensor(reader.unit_array(130, (2, 36, 64)))
    np.testing.assert_allclose(cell(x).asnumpy(), ARRAYS["dgmn2_attention.eval.out"], atol=1e-5)
    (dx,), dweights = gradients(cell, (x,), Tensor(reader.unit_array(999, (2, 36, 64))))
    facts = FACTS["dgmn2_attention"]["eval"]
    assert np.linalg.norm(dx.asnumpy()) == pytest.approx(facts["grad_input_norm"], rel=1e-5)
    expected = ARRAYS["dgmn2_attention.eval.grad_input_slice"]
    np.testing.assert_allclose(reader.sample(dx.asnumpy(), 64), expected, atol=1e-4)
    assert norms(dweights) == pytest.approx(facts["grad_norms"], rel=1e-5)


def test_relative_position():
    cell = fill(RelativePosition(6, num_heads=1, head_channels=16))
    q = Tensor(reader.unit_array(131, (4, 1, 6, 6, 16)).reshape(-1, 16))
    expected = ARRAYS["dgmn2_relposemb.eval.out"]
    np.testing.assert_allclose(cell(q).asnumpy().reshape(expected.shape), expected, atol=1e-5)
    upstream = reader.unit_array(999, expected.shape).reshape(-1, TAPS)
    (dq,), dweights = gradients(cell, (q,), Tensor(upstream))
    facts = FACTS["dgmn2_relposemb"]["eval"]
    assert np.linalg.norm(dq.asnumpy()) == pytest.approx(facts["grad_input_norm"], rel=1e-5)
    assert norms(dweights) == pytest.approx(facts["grad_norms"], rel=1e-5)
