"""Convolutions without groups, of sizes above 1, and their gradients by the kernels, against float64."""

import mindspore as ms
import numpy as np
import pytest
from mindspore import Tensor, nn, ops

from benchmarks.operators import traced_operators
from src.models.layers import LayerContext, conv
from src.models.layers.cpu.kernels import dense_conv
from src.models.layers.cpu.kernels.dense_conv import DenseConv
from src.models.layers.cpu.kernels.grouped_conv import KernelConvFunction
from src.models.layers.cpu.kernels.product_conv import ProductConv
from src.models.layers.cpu.kernels.winograd_conv import WinogradConv
from tests.support.gradients import Gradients
from tests.support.kernels import NEEDS_COMPILER, assert_close, gradients, kernels, normal, set_num_threads

pytestmark = NEEDS_COMPILER


@pytest.fixture(autouse=True)
def eager():
    ms.set_context(mode=ms.PYNATIVE_MODE)


@pytest.fixture(params=[DenseConv, WinogradConv, ProductConv])
def form(request):
    """Each way to compute one of size 3 and stride 1."""
    return request.param


def layer(in_channels, out_channels, form, *, size=3, stride=1, dilation=1, bias=False):
    steps = {"stride": stride, "dilation": dilation}
    own = conv(in_channels, out_channels, size, bias=bias, context=LayerContext(), **steps)
    if form is DenseConv:
        own.conv2d = DenseConv(kernels().kernels, in_channels, out_channels, dilation)
    elif form is WinogradConv:
        own.conv2d = WinogradConv(kernels().kernels, dilation)
    elif form is ProductConv:
        own.conv2d = ProductConv(kernels().kernels, **steps)
    own.weight.set_data(Tensor(normal(out_channels, in_channels, size, size, seed=1)))
    return own


def reference(x, weight, dy, stride=1, dilation=1):
    """(y, dx, dweight) in float64."""
    height, width = x.shape[2:]
    border, weight = weight.shape[2] // 2 * dilation, weight.astype(float)
    padded = np.pad(x.astype(float), ((0, 0), (0, 0), (border, border), (border, border)))
    y, dpadded, dweight = np.zeros(dy.shape), np.zeros(padded.shape), np.zeros(weight.shape)
    for row, column in np.ndindex(weight.shape[2:]):
        top, left = row * dilation, column * dilation
        window = np.s_[:, :, top : top + height : stride, left : left + width : stride]
        y += np.einsum("oc,bchw->bohw", weight[:, :, row, column], padded[window])
        dpadded[window] += np.einsum("oc,bohw->bchw", weight[:, :, row, column], dy)
        dweight[:, :, row, column] = np.einsum("bohw,bchw->oc", dy, padded[window])
    return y, dpadded[:, :, border : border + height, border : border + width], dweight


@pytest.mark.parametrize(
    ("batch", "in_channels", "out_channels", "height", "width", "dilation"),
    [
        (2, 5, 7, 4, 6, 1),
        (1, 1, 1, 1, 1, 1),
        (2, 33, 10, 5, 1, 2),
        (1, 6, 9, 7, 8, 16),  # no tap but the middle one is inside
        (1, 3, 40, 40, 50, 4),  # an image in several steps
        (1, 2, 3, 2, 1200, 1),
        (3, 20, 70, 27, 26, 2),  # more tiles, and more outputs, than are computed together
    ],
)
def test_values_and_gradients(form, batch, in_channels, out_channels, height, width, dilation):
    own = layer(in_channels, out_channels, form, dilation=dilation, bias=True)
    x, dy = normal(batch, in_channels, height, width), normal(batch, out_channels, height, width, seed=2)
    y, (dx,), of_parameters = gradients(own, dy, x)
    expected = reference(x, own.weight.asnumpy(), dy, dilation=dilation)
    for found, each in zip((y, dx, of_parameters["weight"]), expected, strict=True):
        assert_close(found, each, 3e-6)
    assert_close(of_parameters["bias"], dy.sum((0, 2, 3), dtype=float), 5e-6)


@pytest.mark.parametrize(
    ("size", "stride", "dilation", "shape"),
    [
        (3, 2, 1, (2, 5, 7, 4, 6)),
        (3, 2, 1, (1, 1, 1, 1, 1)),
        (3, 2, 1, (3, 3, 12, 75, 66)),  # lines of more numbers than a vector
        (3, 2, 1, (8, 20, 300, 7, 7)),  # more rows than are computed together
        (3, 2, 1, (9, 3, 4, 1, 9)),
        (3, 2, 2, (2, 4, 6, 9, 8)),  # every second number of the input meets no tap
        (3, 3, 1, (2, 4, 6, 10, 8)),
        (3, 4, 1, (2, 4, 6, 10, 8)),
        (5, 1, 1, (2, 4, 6, 11, 3)),
        (7, 2, 1, (2, 3, 20, 37, 40)),
        (7, 2, 1, (1, 3, 2, 2, 2)),  # a map within each window
    ],
)
def test_products_of_any_size_and_stride(size, stride, dilation, shape):
    batch, in_channels, out_channels, height, width = shape
    own = layer(in_channels, out_channels, ProductConv, size=size, stride=stride, dilation=dilation)
    x = normal(batch, in_channels, height, width)
    dy = normal(batch, out_channels, -(-height // stride), -(-width // stride), seed=2)
    y, (dx,), of_parameters = gradients(own, dy, x)
    expected = reference(x, own.weight.asnumpy(), dy, stride, dilation)
    for found, each in zip((y, dx, of_parameters["weight"]), expected, strict=True):
        assert_close(found, each, 3e-6)


@pytest.mark.parametrize("shape", [(5, 7, 3, 3), (17, 35, 3, 3), (1, 1, 1, 1), (40, 33, 1, 1), (16, 70, 1, 1)])
def test_weights_are_turned_whatever_their_number(shape):
    weight = normal(*shape)
    turned = DenseConv(kernels().kernels, shape[1], shape[0], 1).turned(Tensor(weight)).asnumpy()
    np.testing.assert_array_equal(turned, weight.transpose(1, 0, 2, 3)[:, :, ::-1, ::-1])


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_numbers_that_are_not_finite_reach_the_guard(form, wrong):
    x, dy = normal(2, 4, 5, 5), normal(2, 3, 5, 5, seed=2)
    x[1, 2, 2, 2] = dy[0, 1, 2, 2] = wrong
    _, (dx,), of_parameters = gradients(layer(4, 3, form), dy, x)
    assert not np.isfinite(dx[0, :, 1:4, 1:4]).any() and np.isfinite(dx[1]).all()
    dweight = of_parameters["weight"]
    assert not np.isfinite(dweight[:, 2]).any() and not np.isfinite(dweight[1]).any()
    assert np.isfinite(dweight[[0, 2]][:, [0, 1, 3]]).all()


def test_results_depend_on_no_number_of_threads(form):
    x, dy, results = normal(2, 40, 20, 20), normal(2, 50, 20, 20, seed=3), set()
    for number in (1, 2, 5):
        set_num_threads(number)
        _, (dx,), of_parameters = gradients(layer(40, 50, form), dy, x)
        results.add(dx.tobytes() + of_parameters["weight"].tobytes())
    assert len(results) == 1


def test_compiled_it_equals_the_framework(form):
    ms.set_context(mode=ms.GRAPH_MODE)
    x, dy, found = normal(2, 9, 6, 5), normal(2, 4, 6, 5, seed=3), []
    for each in (form, None):
        y, (dx,), of_parameters = gradients(layer(9, 4, each, dilation=2), dy, x)
        found.append((y, dx, of_parameters["weight"]))
    for own, standard in zip(*found, strict=True):
        assert_close(own, standard, 1e-5)


class Errors(nn.Cell):
    """In the place of the kernel for an input's gradient, an operator that is nowhere else: Erf."""

    def construct(self, x, weight, dy, steps):
        return ops.erf(x), ops.erf(weight)


class WeightGradients(nn.Cell):
    def __init__(self, own):
        super().__init__()
        self.own = own
        self.gradient = ops.GradOperation(get_by_list=True)
        self.parameters = ms.ParameterTuple(own.trainable_params())

    def construct(self, x):
        return self.gradient(self.own, self.parameters)(x)


def test_a_gradient_that_nobody_wants_is_not_computed():
    ms.set_context(mode=ms.GRAPH_MODE)
    own, x, dy = layer(3, 4, ProductConv, stride=2), Tensor(normal(1, 3, 6, 6)), Tensor(normal(1, 4, 3, 3))
    own.conv2d.input_gradient = Errors()
    assert "Erf" not in traced_operators(WeightGradients(own), x)
    assert "Erf" in traced_operators(Gradients(own), x, dy)


@pytest.mark.parametrize("wide_products", [False, True])
def test_which_convolutions_they_are_for(wide_products, monkeypatch):
    monkeypatch.setattr(dense_conv, "has_wide_products", lambda library: wide_products)

    def function(width=64, size=3, context=None, **options):
        return type(conv(width, 64, size, bias=False, context=context or kernels(), **options).conv2d)

    assert function() is function(dilation=4) is WinogradConv
    framework = function(context=LayerContext())
    if wide_products:
        assert function(60) is KernelConvFunction
        others = [function(63), function(60, dilation=4), function(stride=2), function(3, 7, stride=2)]
        assert set(others) == {ProductConv}
    else:
        assert function(63) is function(60) is function(63, dilation=4) is DenseConv
        assert function(stride=2) is function(3, 7, stride=2) is framework
    assert function(groups=64) is function(size=4) is framework
    assert not {DenseConv, WinogradConv} & {framework, function(size=1), function(size=5)}
