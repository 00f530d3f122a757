"""The kernels of 3x3 convolutions, grouped or of few channels, against float64."""

import mindspore as ms
import numpy as np
import pytest
from mindspore import Tensor

from src.models.layers import LayerContext, conv
from src.models.layers.cpu.convolution import GroupedConv
from src.models.layers.cpu.kernels import dense_conv
from src.models.layers.cpu.kernels.grouped_conv import KernelConvFunction, KernelGroupedConv
from src.models.layers.cpu.kernels.product_conv import ProductConv
from src.models.layers.standard import BiasedConv, Conv
from tests.support.kernels import NEEDS_COMPILER, assert_close, gradients, kernels, normal, set_num_threads

pytestmark = NEEDS_COMPILER


@pytest.fixture(autouse=True)
def eager():
    ms.set_context(mode=ms.PYNATIVE_MODE)


@pytest.fixture(autouse=True, params=[True, False])
def wide_products(request, monkeypatch):
    """Either processor, and so either kernel of few channels."""
    monkeypatch.setattr(dense_conv, "has_wide_products", lambda _library: request.param)


def layer(in_channels, out_channels, groups, context=None, *, stride=1):
    own = conv(in_channels, out_channels, 3, stride=stride, groups=groups, bias=False, context=context or kernels())
    own.weight.set_data(Tensor(normal(out_channels, in_channels // groups, 3, 3, seed=1)))
    return own


def taps(x):
    """(9, ...): a padded map's values at the 9 taps of each position."""
    height, width = x.shape[2:]
    padded = np.pad(x.astype(float), ((0, 0), (0, 0), (1, 1), (1, 1)))
    return [padded[:, :, tap // 3 : tap // 3 + height, tap % 3 : tap % 3 + width] for tap in range(9)]


def reference(x, weight, dy, groups):
    """(y, dx, dweight) in float64."""
    weight = weight.astype(float).reshape(weight.shape[:2] + (9,))
    y, dx, dweight = np.zeros(dy.shape), np.zeros(x.shape), np.zeros(weight.shape)
    num_out, num_in = weight.shape[0] // groups, weight.shape[1]
    for group in range(groups):
        outs, ins = slice(group * num_out, (group + 1) * num_out), slice(group * num_in, (group + 1) * num_in)
        for tap, (values, slopes) in enumerate(zip(taps(x[:, ins]), taps(dy[:, outs]), strict=True)):
            y[:, outs] += np.einsum("bihw,oi->bohw", values, weight[outs, :, tap])
            dx[:, ins] += np.einsum("bohw,oi->bihw", slopes, weight[outs, :, 8 - tap])
            dweight[outs, :, tap] = np.einsum("bohw,bihw->oi", dy[:, outs].astype(float), values)
    return y, dx, dweight.reshape((*weight.shape[:2], 3, 3))


NARROW = [
    (2, 8, 8, 5, 7, 1),
    (1, 9, 27, 1, 1, 1),
    (3, 32, 32, 40, 37, 1),
    (1, 31, 8, 16, 3, 1),
    (2, 16, 24, 17, 1, 1),
    (9, 8, 12, 23, 29, 1),
]
GROUPED = [
    (2, 8, 8, 5, 7, 2),
    (2, 8, 8, 6, 8, 2),
    (1, 12, 24, 1, 1, 3),
    (3, 128, 64, 9, 1, 2),
    (1, 16, 16, 1, 33, 4),
    (2, 16, 16, 1, 34, 4),
    (4, 64, 64, 14, 14, 4),
    (4, 64, 64, 15, 14, 4),
    (7, 8, 8, 56, 57, 2),  # several images at a time, and one in the end
]


@pytest.mark.parametrize(
    ("stride", "shape"),
    [*((1, shape) for shape in (*GROUPED, *NARROW)), *((2, shape) for shape in GROUPED)],
)
def test_values_and_gradients(stride, shape):
    batch, in_channels, out_channels, height, width, groups = shape
    own = layer(in_channels, out_channels, groups, stride=stride)
    assert isinstance(own, KernelGroupedConv) or isinstance(own.conv2d, KernelConvFunction | ProductConv)
    x, whole = normal(batch, in_channels, height, width), np.zeros((batch, out_channels, height, width), np.float32)
    counted = np.s_[:, :, ::stride, ::stride]
    dy = whole[counted] = normal(*whole[counted].shape, seed=2)
    y, (dx,), of_parameters = gradients(own, dy, x)
    expected, *others = reference(x, own.weight.asnumpy(), whole, groups)
    for found, each in zip((y, dx, of_parameters["weight"]), (expected[counted], *others), strict=True):
        assert_close(found, each, 3e-6)


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
@pytest.mark.parametrize("groups", [1, 2])
def test_numbers_that_are_not_finite_reach_the_guard(wrong, groups):
    x, own = normal(2, 8, 4, 4), layer(8, 8, groups)
    x[1, 5, 2, 2] = wrong
    y, (dx,), of_parameters = gradients(own, x, x)
    assert not np.isfinite(y[1, 4:, 1:4, 1:4]).any()
    assert np.isfinite(y[0]).all() and np.isfinite(y[1, :, 0]).all()
    assert groups == 1 or np.isfinite(y[:, :4]).all()
    assert not np.isfinite(dx[1, 4:, 1:4, 1:4]).any()
    assert not np.isfinite(of_parameters["weight"][4:, 5 % (8 // groups)]).any()


@pytest.mark.parametrize("groups", [1, 2])
def test_what_a_larger_map_has_left_has_no_effect(groups):
    x, own = normal(3, 8, 20, 30), layer(8, 8, groups)
    alone = gradients(own, x, x)
    larger = np.full((4, 8, 40, 50), np.nan, np.float32)
    gradients(own, larger, larger)
    for before, after in zip(alone[:2], gradients(own, x, x)[:2], strict=True):
        np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize(("groups", "stride"), [(1, 1), (4, 1), (4, 2)])
def test_results_depend_on_no_number_of_threads(groups, stride):
    x, dy, results = normal(4, 32, 20, 20), normal(4, 32, 20 // stride, 20 // stride, seed=3), set()
    for number in (1, 2, 5):
        set_num_threads(number)
        y, (dx,), of_parameters = gradients(layer(32, 32, groups, stride=stride), dy, x)
        results.add(b"".join(each.tobytes() for each in (y, dx, of_parameters["weight"])))
    assert len(results) == 1


@pytest.mark.parametrize(("groups", "stride"), [(1, 1), (2, 1), (2, 2)])
def test_compiled_it_equals_the_framework(groups, stride):
    ms.set_context(mode=ms.GRAPH_MODE)
    x, dy, found = normal(2, 8, 6, 6), normal(2, 8, 6 // stride, 6 // stride, seed=3), []
    for context in (kernels(), LayerContext(exporting=True)):
        y, (dx,), of_parameters = gradients(layer(8, 8, groups, context, stride=stride), dy, x)
        found.append((y, dx, of_parameters["weight"]))
    for own, standard in zip(*found, strict=True):
        assert_close(own, standard, 1e-5)


def test_which_convolutions_it_is_for():
    def kind(in_channels, out_channels, size=3, bias=False, **options):
        return type(conv(in_channels, out_channels, size, bias=bias, context=kernels(), **options))

    assert kind(8, 8, groups=2) is kind(8, 8, groups=2, stride=2) is KernelGroupedConv
    assert kind(16, 16, groups=8) is GroupedConv  # two channels a group
    others = [{"groups": 8}, {"groups": 2, "stride": 3}, {"groups": 2, "dilation": 2}, {"groups": 2, "bias": True}]
    assert {kind(8, 8, **each) for each in others} == {Conv, BiasedConv}
    assert kind(256, 256, groups=2) is Conv
    assert KernelGroupedConv not in {kind(8, 8), kind(8, 8, 1, groups=2)}


@pytest.mark.parametrize("bias", [True, False])
def test_which_convolutions_have_few_channels(bias):
    def operator(in_channels, out_channels, size=3, **options):
        return type(conv(in_channels, out_channels, size, bias=bias, context=kernels(), **options).conv2d)

    assert operator(8, 32) is KernelConvFunction
    others = [
        operator(3, 32),
        operator(80, 32),
        operator(8, 8, 1),
        operator(8, 8, stride=2),
        operator(8, 8, dilation=2),
    ]
    assert KernelConvFunction not in others
