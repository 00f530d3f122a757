"""Each shared layer against its definition."""

import math

import mindspore as ms
import numpy as np
import pytest
from mindspore import Tensor, nn, ops

from src.models.layers import (
    LayerContext,
    batch_norm,
    bilinear_resize,
    ceil_max_pool_after_relu,
    conv,
    gelu,
    layer_norm,
    linear,
    max_pool_after_relu,
    multi_head_mixture,
    row_mean,
    row_transpose,
    tanh_gelu,
)
from src.models.layers.batch_norm import SyncBatchNorm
from src.models.layers.cpu.convolution import GroupedConv
from src.models.layers.cpu.layer_norm import CpuLayerNorm
from tests.support.gradients import Gradients

CPU, EXPORTING = LayerContext(), LayerContext(exporting=True)
STANDARD = LayerContext(device="GPU")  # the framework's operators, which run here too


@pytest.fixture(autouse=True, params=[ms.PYNATIVE_MODE, ms.GRAPH_MODE], ids=["eager", "compiled"])
def mode(request):
    ms.set_context(mode=request.param)


def normal(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


@pytest.mark.parametrize("context", [CPU, EXPORTING])
def test_exact_gelu(context):
    x = np.linspace(-8, 8, 4001, dtype=np.float32)
    expected = [0.5 * v * math.erfc(-v / math.sqrt(2)) for v in x.astype(float)]
    # 2e-7 of erf, times x / 2; and the rounding of the result.
    np.testing.assert_allclose(gelu(context)(Tensor(x)).asnumpy(), expected, rtol=2e-7, atol=1e-6)


@pytest.mark.parametrize("context", [CPU, EXPORTING])
def test_tanh_gelu(context):
    x = np.linspace(-8, 8, 4001, dtype=np.float32)
    z = x.astype(float)
    expected = 0.5 * z * (1 + np.tanh(math.sqrt(2 / math.pi) * (z + 0.044715 * z**3)))
    np.testing.assert_allclose(tanh_gelu(context)(Tensor(x)).asnumpy(), expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("context", [CPU, EXPORTING])
def test_max_pool_borders(context):
    x = np.array([[0, 0, 0, 1], [0, 9, 0, 0], [0, 0, 0, 0], [2, 0, 0, 7]], np.float32).reshape(1, 1, 4, 4)
    padded = max_pool_after_relu("pad", context)(Tensor(x)).asnumpy()[0, 0]
    same = max_pool_after_relu("same", context)(Tensor(x)).asnumpy()[0, 0]
    assert padded.tolist() == [[9, 9], [9, 9]]
    assert same.tolist() == [[9, 1], [2, 7]]


def ceil_pooled(x):
    """3x3, stride 2, one pixel of -inf at the top and left, and at the bottom and right what the last window needs."""
    rows, columns = (n // 2 + 1 for n in x.shape)
    x = np.pad(x, ((1, 2), (1, 2)), constant_values=-np.inf)
    return np.array([[x[2 * i : 2 * i + 3, 2 * j : 2 * j + 3].max() for j in range(columns)] for i in range(rows)])


@pytest.mark.parametrize("context", [CPU, EXPORTING])
def test_ceil_max_pool(context):
    x = np.array([[0, 0, 0, 1], [0, 9, 0, 0], [0, 0, 0, 0], [2, 0, 0, 7]], np.float32)
    pool = ceil_max_pool_after_relu(context)
    assert pool(Tensor(x[None, None])).asnumpy()[0, 0].tolist() == [[9, 9, 1], [9, 9, 7], [2, 7, 7]]
    for height, width in ((6, 8), (7, 8), (5, 9)):  # rows and columns: 4 and 5, 4 and 5, 3 and 5
        x = np.abs(normal(height, width))
        np.testing.assert_array_equal(pool(Tensor(x[None, None])).asnumpy()[0, 0], ceil_pooled(x))


class Resize(nn.Cell):
    def __init__(self, context, size):
        super().__init__()
        self.resize = bilinear_resize(context)
        self.size = size

    def construct(self, x):
        return self.resize(x, self.size)


@pytest.mark.parametrize("context", [CPU, STANDARD])
def test_resize_keeps_the_corners(context):
    x = Tensor(np.array([[0, 4], [8, 12]], np.float32).reshape(1, 1, 2, 2))
    expected = [[0, 1, 2, 3, 4], [4, 5, 6, 7, 8], [8, 9, 10, 11, 12]]
    np.testing.assert_allclose(Resize(context, (3, 5))(x).asnumpy()[0, 0], expected, atol=1e-5)
    one = Tensor(np.full((1, 2, 1, 1), 3, np.float32))
    np.testing.assert_allclose(Resize(context, (2, 3))(one).asnumpy(), np.full((1, 2, 2, 3), 3))


@pytest.mark.parametrize("size", [(13, 20), (3, 4)])
def test_both_ways_to_resize_are_equal(size):
    x, dout = Tensor(normal(2, 3, 5, 7)), Tensor(normal(2, 3, *size, seed=1))
    found = []
    for context in (CPU, STANDARD):
        cell = Resize(context, size)
        (dx,) = ops.GradOperation(get_all=True, sens_param=True)(cell)(x, dout)
        found.append((cell(x).asnumpy(), dx.asnumpy()))
    np.testing.assert_allclose(found[0][0], found[1][0], atol=1e-5)
    np.testing.assert_allclose(found[0][1], found[1][1], atol=1e-5)


@pytest.mark.parametrize("size", [6, 7])
def test_grouped_conv_equals_the_standard_one(size):
    own = conv(16, 32, 3, groups=4, bias=False, context=CPU)
    standard = conv(16, 32, 3, groups=4, bias=False, context=EXPORTING)
    assert isinstance(own, GroupedConv)
    assert isinstance(standard, nn.Conv2d)
    weight, x = normal(32, 4, 3, 3), Tensor(normal(3, 16, size, size, seed=1))
    for cell in (own, standard):
        cell.weight.set_data(Tensor(weight))
    output = own(x)
    np.testing.assert_allclose(output.asnumpy(), standard(x).asnumpy(), atol=1e-5)
    dout = Tensor(normal(*output.shape, seed=2))
    (dx,), (dw,) = Gradients(own)(x, dout)
    (expected_dx,), (expected_dw,) = Gradients(standard)(x, dout)
    np.testing.assert_allclose(dx.asnumpy(), expected_dx.asnumpy(), atol=1e-4)
    np.testing.assert_allclose(dw.asnumpy(), expected_dw.asnumpy(), atol=1e-4)


def test_exact_gelu_has_its_derivative():
    x = np.linspace(-6, 6, 301, dtype=np.float32)
    z = x.astype(float)
    density = np.exp(-0.5 * z * z) / math.sqrt(2 * math.pi)
    expected = [0.5 * math.erfc(-v / math.sqrt(2)) for v in z] + z * density
    (dx,), _ = Gradients(gelu(CPU))(Tensor(x), Tensor(np.ones_like(x)))
    np.testing.assert_allclose(dx.asnumpy(), expected, atol=1e-6)


def test_tanh_gelu_has_its_derivative():
    x = np.linspace(-6, 6, 301, dtype=np.float32)
    z = x.astype(float)
    t = np.tanh(math.sqrt(2 / math.pi) * (z + 0.044715 * z**3))
    expected = 0.5 * (1 + t) + 0.5 * z * (1 - t * t) * math.sqrt(2 / math.pi) * (1 + 3 * 0.044715 * z * z)
    (dx,), _ = Gradients(tanh_gelu(CPU))(Tensor(x), Tensor(np.ones_like(x)))
    np.testing.assert_allclose(dx.asnumpy(), expected, atol=4e-6)


@pytest.mark.parametrize("epsilon", [1e-7, 0.5])
def test_layer_norm_equals_the_standard_one(epsilon):
    own, standard = layer_norm(24, epsilon, CPU), layer_norm(24, epsilon, EXPORTING)
    assert isinstance(own, CpuLayerNorm)
    assert type(standard) is nn.LayerNorm
    x = Tensor(0.3 + normal(3, 5, 24))
    for cell in (own, standard):
        cell.gamma.set_data(Tensor(1 + 0.1 * normal(24, seed=1)))
        cell.beta.set_data(Tensor(normal(24, seed=2)))
    output = own(x)
    np.testing.assert_array_equal(output.asnumpy(), standard(x).asnumpy())
    dout = Tensor(normal(3, 5, 24, seed=3))
    (dx,), own_gradients = Gradients(own)(x, dout)
    (expected_dx,), expected_gradients = Gradients(standard)(x, dout)
    np.testing.assert_allclose(dx.asnumpy(), expected_dx.asnumpy(), atol=1e-5)
    for gradient, expected in zip(own_gradients, expected_gradients, strict=True):
        np.testing.assert_allclose(gradient.asnumpy(), expected.asnumpy(), atol=1e-5)


@pytest.mark.parametrize("precision", ["O2", "O3"])
def test_layer_norm_in_half_precision(precision):
    own, x, dout = layer_norm(24, 1e-6, CPU), normal(3, 5, 24), normal(3, 5, 24, seed=1)
    (expected,), _ = Gradients(own)(Tensor(x), Tensor(dout))
    half = ms.amp.auto_mixed_precision(nn.SequentialCell(own), precision, ms.float16)
    dout = Tensor(dout).astype(half(Tensor(x)).dtype)
    (dx,), (dgamma, dbeta) = Gradients(half)(Tensor(x), dout)
    np.testing.assert_allclose(dx.asnumpy(), expected.asnumpy(), atol=2e-2)
    assert (dgamma.dtype, dbeta.dtype) == (ms.float32, ms.float32)


def test_linear_equals_the_standard_one():
    own, standard = linear(6, 4, CPU), linear(6, 4, EXPORTING)
    for cell in (own, standard):
        cell.weight.set_data(Tensor(normal(4, 6)))
        cell.bias.set_data(Tensor(normal(4, seed=1)))
    x, dout = Tensor(normal(50, 6, seed=2)), Tensor(normal(50, 4, seed=3))
    np.testing.assert_array_equal(own(x).asnumpy(), standard(x).asnumpy())
    (dx,), (dweight, dbias) = Gradients(own)(x, dout)
    (expected_dx,), (expected_dweight, expected_dbias) = Gradients(standard)(x, dout)
    np.testing.assert_array_equal(dx.asnumpy(), expected_dx.asnumpy())
    np.testing.assert_array_equal(dweight.asnumpy(), expected_dweight.asnumpy())
    np.testing.assert_allclose(dbias.asnumpy(), expected_dbias.asnumpy(), atol=1e-5)


@pytest.mark.parametrize("precision", ["O2", "O3"])
def test_linear_in_half_precision(precision):
    own = linear(6, 4, CPU)
    own.weight.set_data(Tensor(normal(4, 6)))
    half = ms.amp.auto_mixed_precision(nn.SequentialCell(own), precision, ms.float16)
    x, dout = Tensor(normal(50, 6, seed=1)), normal(50, 4, seed=2)
    (_,), (_, dbias) = Gradients(half)(x, Tensor(dout).astype(half(x).dtype))
    np.testing.assert_allclose(dbias.asnumpy(), dout.sum(0), atol=2e-2)


@pytest.mark.parametrize("precision", ["O2", "O3"])
def test_grouped_conv_in_half_precision(precision):
    own = conv(16, 32, 3, groups=4, bias=False, context=CPU)
    own.weight.set_data(Tensor(normal(32, 4, 3, 3)))
    x = normal(3, 16, 6, 6, seed=1)
    expected = own(Tensor(x)).asnumpy()
    dout = normal(*expected.shape, seed=2)
    (_,), (expected_dw,) = Gradients(own)(Tensor(x), Tensor(dout))
    half = ms.amp.auto_mixed_precision(nn.SequentialCell(own), precision, ms.float16)
    output = half(Tensor(x))
    np.testing.assert_allclose(output.asnumpy(), expected, atol=2e-2)
    (_,), (dw,) = Gradients(half)(Tensor(x), Tensor(dout).astype(output.dtype))
    np.testing.assert_allclose(dw.asnumpy(), expected_dw.asnumpy(), atol=0.2)


def test_where_the_standard_convolution_stays():
    assert isinstance(conv(16, 16, 3, stride=2, groups=4, bias=False, context=CPU), nn.Conv2d)
    assert isinstance(conv(64, 64, 3, groups=4, bias=False, context=CPU), nn.Conv2d)
    assert isinstance(conv(16, 16, 3, groups=4, bias=False, context=LayerContext(device="Ascend")), nn.Conv2d)


def test_batch_norm_is_synchronised_only_on_demand():
    assert type(batch_norm(8, LayerContext(num_ranks=2))) is nn.BatchNorm2d
    assert type(batch_norm(8, LayerContext(num_ranks=1, sync_bn=True))) is nn.BatchNorm2d
    synchronised = batch_norm(8, LayerContext(num_ranks=2, sync_bn=True))
    assert type(synchronised) is SyncBatchNorm
    assert [parameter.name for parameter in synchronised.get_parameters()] == [
        parameter.name for parameter in nn.BatchNorm2d(8).get_parameters()
    ]


def test_rows_in_another_order():
    x, dout = normal(2, 12, 5), normal(2, 12, 5, seed=1)  # 12 rows are 2 x 3 x 2
    expected = x.reshape(2, 2, 3, 2, 5).transpose(0, 3, 1, 2, 4).reshape(2, 12, 5)
    expected_dx = dout.reshape(2, 2, 2, 3, 5).transpose(0, 2, 3, 1, 4).reshape(2, 12, 5)
    for context in (CPU, STANDARD):
        cell = RowTranspose(context)
        (dx,) = ops.GradOperation(get_all=True, sens_param=True)(cell)(Tensor(x), Tensor(dout))
        np.testing.assert_array_equal(cell(Tensor(x)).asnumpy(), expected)
        np.testing.assert_array_equal(dx.asnumpy(), expected_dx)


class RowTranspose(nn.Cell):
    def __init__(self, context):
        super().__init__()
        self.transpose = row_transpose(context)

    def construct(self, x):
        return self.transpose(x, (2, 3, 2), (2, 0, 1))


@pytest.mark.parametrize(("dtype", "tolerance"), [(ms.float32, 1e-5), (ms.float16, 1e-2)])
def test_attention_equals_the_standard_one(dtype, tolerance):
    q, k, v = normal(2, 5, 12), normal(2, 7, 12, seed=1), normal(2, 7, 12, seed=2)
    inputs = [Tensor(array, dtype) for array in (q, k, v, normal(2, 5, 12, seed=3))]
    cells = [multi_head_mixture(3, form) for form in (CPU, STANDARD)]
    gradients = [ops.GradOperation(get_all=True, sens_param=True)(cell)(*inputs) for cell in cells]
    for own, standard in zip(*gradients, strict=True):
        assert own.dtype == dtype
        np.testing.assert_allclose(own.asnumpy(), standard.asnumpy(), atol=tolerance)


@pytest.mark.parametrize("shape", [(3, 49, 8), (1, 1, 1)])
def test_mean_of_rows(shape):
    x, dmean = normal(*shape), normal(shape[0], shape[2], seed=1)
    mean, gradient = row_mean(CPU), ops.GradOperation(sens_param=True)
    np.testing.assert_allclose(mean(Tensor(x)).asnumpy(), x.mean(1), atol=1e-6)
    expected = np.broadcast_to(dmean[:, None] / shape[1], shape)
    np.testing.assert_allclose(gradient(mean)(Tensor(x), Tensor(dmean)).asnumpy(), expected, atol=1e-6)
