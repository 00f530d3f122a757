"""1x1 convolutions and their gradients by the kernels, against float64."""

import mindspore as ms
import numpy as np
import pytest
from mindspore import Tensor, nn

from src.models.layers import LayerContext, conv
from src.models.layers.cpu.kernels import pointwise_conv
from src.models.layers.cpu.kernels.pointwise_conv import MANY, WIDE, MixedPointwiseConv
from src.models.layers.cpu.kernels.product_conv import ProductConv
from tests.support.kernels import NEEDS_COMPILER, assert_close, gradients, kernels, normal, set_num_threads

pytestmark = NEEDS_COMPILER


@pytest.fixture(autouse=True, params=[False, True], ids=["partly", "wholly"])
def wide_products(request, monkeypatch):
    """Both kinds of processors, whichever this is."""
    ms.set_context(mode=ms.PYNATIVE_MODE)
    monkeypatch.setattr(pointwise_conv, "has_wide_products", lambda library: request.param)
    return request.param


def layer(in_channels, out_channels, stride, *, groups=1, bias=False):
    own = conv(in_channels, out_channels, stride=stride, groups=groups, bias=bias, context=kernels())
    own.weight.set_data(Tensor(normal(out_channels, in_channels // groups, 1, 1, seed=1)))
    return own


@pytest.mark.parametrize(
    ("batch", "in_channels", "out_channels", "height", "width", "stride", "groups"),
    [
        (2, 5, 7, 3, 4, 1, 1),
        (1, 1, 1, 1, 1, 1, 1),
        (3, 300, 70, 7, 7, 1, 1),
        (3, WIDE, 70, 7, 7, 1, 1),
        (2, WIDE, 3, 5, 6, 2, 1),
        (1, 20, 70, 40, 50, 1, 1),  # an image in several steps
        (2, 9, 50, 5, 8, 2, 1),
        (8, 16, 3, 14, 14, 3, 1),
        (7, 30, 300, 7, 7, 1, 1),
        (3, 40, 9, 13, 15, 2, 1),  # the smallest of maps, with a stride
        (1, 6, 4, 17, 17, 1, 1),  # larger than small
        (2, 12, 8, 5, 6, 1, 4),
        (1, 6, 9, 4, 3, 2, 3),
        (9, 640, 640, 3, 3, 1, 2),  # several runs of positions and blocks of rows
        (8, 80, 24, 28, 28, 1, 1),
    ],
)
def test_values_and_gradients(batch, in_channels, out_channels, height, width, stride, groups):
    own = layer(in_channels, out_channels, stride, groups=groups, bias=True)
    x = normal(batch, in_channels, height, width)
    dy = normal(batch, out_channels, -(-height // stride), -(-width // stride), seed=2)
    y, (dx,), of_parameters = gradients(own, dy, x)
    weight = own.weight.asnumpy().reshape((groups, out_channels // groups, -1)).astype(float)
    read = x[:, :, ::stride, ::stride].reshape((batch, groups, in_channels // groups, *dy.shape[2:])).astype(float)
    slopes = dy.reshape((batch, groups, out_channels // groups, *dy.shape[2:]))
    expected = np.zeros(x.shape)
    expected[:, :, ::stride, ::stride] = np.einsum("goc,bgohw->bgchw", weight, slopes).reshape(
        (batch, -1, *dy.shape[2:])
    )
    assert_close(y, np.einsum("goc,bgchw->bgohw", weight, read).reshape(dy.shape))
    assert_close(dx, expected)
    dweight = np.einsum("bgohw,bgchw->goc", slopes, read).reshape(own.weight.shape)
    assert_close(of_parameters["weight"], dweight, 5e-6)
    assert_close(of_parameters["bias"], dy.sum((0, 2, 3), dtype=float), 5e-6)


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_not_finite_reach_the_guard(wrong):
    x, dy = normal(1, WIDE, 3, 3), normal(1, 5, 3, 3, seed=2)
    dy[0, 2, 1, 1] = wrong
    y, (dx,), of_parameters = gradients(layer(WIDE, 5, 1), dy, x)
    assert np.isfinite(y).all()
    assert not np.isfinite(dx[0, :, 1, 1]).any()
    assert np.isfinite(dx[0, :, 0]).all()
    finite = np.isfinite(of_parameters["weight"])
    assert not finite[2].any() and finite[[0, 1, 3, 4]].all()
    x[0, 7, 1, 2] = wrong
    y, _, _ = gradients(layer(WIDE, 5, 1), dy, x)
    assert not np.isfinite(y[0, :, 1, 2]).any() and np.isfinite(y[0, :, 0]).all()


@pytest.mark.parametrize("side", [8, 14])
def test_results_depend_on_no_number_of_threads(side):
    x, dy, results = normal(4, WIDE, side, side), normal(4, 40, side, side, seed=2), set()
    for number in (1, 2, 5):
        set_num_threads(number)
        y, (dx,), of_parameters = gradients(layer(WIDE, 40, 1), dy, x)
        results.add(b"".join(each.tobytes() for each in (y, dx, of_parameters["weight"])))
    assert len(results) == 1


def test_it_is_chosen_for_many_channels_or_wide_registers(wide_products):
    def function(*sizes, context=None, **options):
        return type(conv(*sizes, bias=False, context=context or kernels(), **options).conv2d)

    few, grouped = function(MANY + 1, 8), function(MANY, 8, groups=2)
    if wide_products:
        assert few is grouped is function(MANY, 8) is function(2 * MANY, 8, stride=2) is ProductConv
    else:
        assert function(MANY, 8) is function(2 * MANY, 8, stride=2) is MixedPointwiseConv
        assert not {few, grouped} & {ProductConv, MixedPointwiseConv}
    assert function(MANY, 8, context=LayerContext()) not in {ProductConv, MixedPointwiseConv}


def test_compiled_it_equals_the_standard_formulation():
    ms.set_context(mode=ms.GRAPH_MODE)
    x, dy, found = normal(2, WIDE, 6, 5), normal(2, 8, 3, 3, seed=2), []
    for context in (kernels(), LayerContext()):
        own = conv(WIDE, 8, stride=2, bias=False, context=context)
        assert isinstance(own, nn.Conv2d)
        own.weight.set_data(Tensor(normal(8, WIDE, 1, 1, seed=1)))
        y, (dx,), of_parameters = gradients(own, dy, x)
        found.append([y, dx, of_parameters["weight"]])
    for own, standard in zip(*found, strict=True):
        assert_close(own, standard)
