"""The kernels of BatchNorm with what follows it, against float64."""

import mindspore as ms
import numpy as np
import pytest
from mindspore import Parameter, Tensor, nn, ops

from src.models.layers import LayerContext, batch_norm, conv, gelu, norm_activation, relu, tanh_gelu
from src.models.layers.batch_norm import SyncBatchNorm, shortcut_norm
from src.models.layers.cpu.kernels.batch_norm import (
    KernelBatchNorm,
    KernelBiasedNorm,
    KernelShortcutNorm,
    kernel_batch_norm,
)
from src.models.layers.cpu.kernels.bias import BiasLeft
from tests.support.kernels import NEEDS_COMPILER, activation, assert_close, gradients, kernels, normal, set_num_threads

pytestmark = NEEDS_COMPILER
SHAPES = [(4, 6, 5, 7), (3, 1, 9, 9), (5, 3, 1, 1), (2, 17, 64, 33)]
FOLLOWS = ["", "relu", "gelu", "tanh_gelu", "shortcut_relu"]


@pytest.fixture(autouse=True)
def eager():
    ms.set_context(mode=ms.PYNATIVE_MODE)


def cell(channels, follows, biased=False):
    """With parameters and moving statistics that are not 0 and 1."""
    if follows == "shortcut_relu":
        own = KernelShortcutNorm(kernels().kernels, channels)
    else:
        own = kernel_batch_norm(kernels().kernels, channels, follows, biased=biased)
    own.gamma.set_data(Tensor(1 + 0.3 * normal(channels, seed=1)))
    own.beta.set_data(Tensor(0.5 * normal(channels, seed=2)))
    own.moving_mean.set_data(Tensor(normal(channels, seed=3)))
    own.moving_variance.set_data(Tensor(np.exp(normal(channels, seed=4))))
    return own


def along_channels(values):
    return np.asarray(values.asnumpy() if isinstance(values, Tensor) else values, float).reshape((1, -1, 1, 1))


def reference(own, follows, dy, x, shortcut, by_batch):
    """(y, dx, dgamma, dbeta, dshortcut, batch mean, unbiased variance) in float64."""
    x, dy = x.astype(float), dy.astype(float)
    axes, count = (0, 2, 3), x.size // x.shape[1]
    mean, variance = x.mean(axes), x.var(axes)
    used = (mean, variance) if by_batch else (own.moving_mean, own.moving_variance)
    scale = 1 / np.sqrt(along_channels(used[1]) + 1e-5)
    h = (x - along_channels(used[0])) * scale
    gamma = along_channels(own.gamma)
    y, slope = activation(follows.removeprefix("shortcut_"), h * gamma + along_channels(own.beta) + shortcut)
    g = dy * slope
    dgamma, dbeta = (g * h).sum(axes), g.sum(axes)
    dx = gamma * scale * g
    if by_batch:
        dx = gamma * scale * (g - along_channels(dbeta) / count - h * along_channels(dgamma) / count)
    return y, dx, dgamma, dbeta, g, mean, variance * count / max(count - 1, 1)


@pytest.mark.parametrize("follows", FOLLOWS)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("by_batch", [True, False])
def test_values_gradients_and_statistics(shape, follows, by_batch):
    own = cell(shape[1], follows).set_train(by_batch)
    x, dy = 3 + 2 * normal(*shape), normal(*shape, seed=5)
    shortcut = normal(*shape, seed=6) if follows == "shortcut_relu" else 0
    y, dx, dgamma, dbeta, dshortcut, mean, variance = reference(own, follows, dy, x, shortcut, by_batch)
    before = own.moving_mean.asnumpy().copy(), own.moving_variance.asnumpy().copy()
    inputs = (x, shortcut) if follows == "shortcut_relu" else (x,)
    found = own(*map(Tensor, inputs)).asnumpy()
    rate = 0.1 if by_batch else 0
    assert_close(own.moving_mean.asnumpy(), before[0] + rate * (mean - before[0]))
    assert_close(own.moving_variance.asnumpy(), before[1] + rate * (variance - before[1]))
    own.moving_mean.set_data(Tensor(before[0]))
    own.moving_variance.set_data(Tensor(before[1]))
    _, of_inputs, of_parameters = gradients(own.set_train(by_batch), dy, *inputs)
    assert_close(found, y, 3e-6)
    assert_close(of_parameters["gamma"], dgamma, 1e-5)
    assert_close(of_parameters["beta"], dbeta, 1e-5)
    assert_close(of_inputs[0], dx, 1e-5)
    if follows == "shortcut_relu":
        assert_close(of_inputs[1], dshortcut)


class Biased(nn.Cell):
    """The kernel's cell after a bias that it is left to add."""

    def __init__(self, norm, bias):
        super().__init__()
        self.norm = norm
        self.bias = Parameter(bias, name="bias")

    def construct(self, x):
        return self.norm((x, self.bias))


@pytest.mark.parametrize("follows", FOLLOWS[:-1])
@pytest.mark.parametrize("by_batch", [True, False])
def test_a_bias_counts_as_if_it_were_added(follows, by_batch):
    shape = (4, 6, 5, 7)
    x, bias, dy = normal(*shape), 2 * normal(6, seed=7), normal(*shape, seed=5)
    own = cell(6, follows, biased=True)
    before = own.moving_mean.asnumpy().copy()
    biased = x.astype(float) + along_channels(bias)
    y, dx, dgamma, dbeta, _, mean, _ = reference(own, follows, dy, biased, 0, by_batch)
    network = Biased(own, Tensor(bias)).set_train(by_batch)
    found = network(Tensor(x)).asnumpy()
    assert_close(own.moving_mean.asnumpy(), before + (0.1 if by_batch else 0) * (mean - before))
    own.moving_mean.set_data(Tensor(before))
    _, of_inputs, of_parameters = gradients(network, dy, x)
    assert_close(found, y, 3e-6)
    assert_close(of_inputs[0], dx, 1e-5)
    assert_close(of_parameters["norm.gamma"], dgamma, 1e-5)
    assert_close(of_parameters["norm.beta"], dbeta, 1e-5)
    assert_close(of_parameters["bias"], dx.sum((0, 2, 3)), 1e-5)
    assert not by_batch or not of_parameters["bias"].any()


@pytest.mark.parametrize(("training", "statistics"), [(True, None), (False, None), (True, False)])
def test_after_a_convolution_with_bias_it_equals_the_standard_formulation(training, statistics):
    ms.set_context(mode=ms.GRAPH_MODE)
    x, dy, found = normal(3, 4, 6, 5), normal(3, 8, 6, 5, seed=1), []
    for context in (kernels(), LayerContext()):
        network = nn.SequentialCell(
            conv(4, 8, bias=True, normed=True, context=context), *norm_activation(8, gelu, context, biased=True)
        ).set_train(training)
        network[1].use_batch_statistics = statistics
        for seed, parameter in enumerate(network.get_parameters()):
            parameter.set_data(Tensor(np.abs(normal(*parameter.shape, seed=seed))))
        y, (dx,), of_parameters = gradients(network, dy, x)
        found.append({"y": y, "dx": dx} | of_parameters | {p.name: p.asnumpy() for p in network.untrainable_params()})
    assert list(found[0]) == list(found[1])
    for own, standard in zip(found[0].values(), found[1].values(), strict=True):
        assert_close(own, standard, 1e-5)


@pytest.mark.parametrize("activation_cell", [relu, gelu, tanh_gelu])
def test_compiled_it_equals_the_standard_formulation(activation_cell):
    ms.set_context(mode=ms.GRAPH_MODE)
    x, dy = normal(3, 4, 6, 5), normal(3, 4, 6, 5, seed=1)
    found = []
    for context in (kernels(), LayerContext()):
        both = nn.SequentialCell(*norm_activation(4, activation_cell, context)).set_train(True)
        y, (dx,), of_parameters = gradients(both, dy, x)
        moving = [parameter.asnumpy() for parameter in both.get_parameters()]
        found.append([y, dx, *of_parameters.values(), *moving])
    for own, standard in zip(*found, strict=True):
        assert_close(own, standard, 1e-5)


@pytest.mark.parametrize("follows", FOLLOWS)
@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_not_finite_reach_the_guard(follows, wrong):
    own = cell(2, follows).set_train(True)
    x = normal(2, 2, 3, 3)
    x[0, 1, 1, 1] = wrong
    inputs = (x, np.zeros_like(x)) if follows == "shortcut_relu" else (x,)
    y, of_inputs, of_parameters = gradients(own, np.ones_like(x), *inputs)
    assert np.isfinite(y[:, 0]).all()
    assert np.isnan(y[:, 1]).all()
    assert not np.isfinite(own.moving_variance.asnumpy()[1])
    assert np.isnan(of_inputs[0][:, 1]).all()
    assert np.isnan(of_parameters["gamma"][1])
    own.beta.set_data(Tensor([1.0, 1.0]))  # where ReLU lets all through
    _, of_inputs, of_parameters = gradients(own, x, *(np.zeros_like(each) for each in inputs))
    assert not np.isfinite(of_parameters["beta"][1])
    assert not np.isfinite(of_inputs[0][:, 1]).any()


def test_results_depend_on_no_number_of_threads_and_repeat():
    x, dy = normal(4, 9, 64, 64), normal(4, 9, 64, 64, seed=1)
    found = []
    for number in (1, 2, 2, 5):
        set_num_threads(number)
        y, (dx,), of_parameters = gradients(cell(9, "gelu").set_train(True), dy, x)
        found.append(b"".join(each.tobytes() for each in (y, dx, *of_parameters.values())))
    assert len(set(found)) == 1


def test_frozen_and_batch_statistics_are_obeyed():
    x, own, standard = normal(4, 3, 5, 5), cell(3, ""), nn.BatchNorm2d(3)
    for mine, its in zip(own.get_parameters(), standard.get_parameters(), strict=True):
        its.set_data(mine.value())
    for training in (True, False):
        for statistics in (None, True, False):
            for each in (own, standard):
                each.set_train(training)
                each.use_batch_statistics = statistics
            assert_close(own(Tensor(x)).asnumpy(), standard(Tensor(x)).asnumpy(), 1e-5)
            assert_close(own.moving_mean.asnumpy(), standard.moving_mean.asnumpy())


def test_where_kernels_are_chosen():
    library = kernels().kernels
    assert type(batch_norm(4, kernels())) is KernelBatchNorm
    assert type(batch_norm(4, kernels(), biased=True)) is KernelBiasedNorm
    assert type(shortcut_norm(4, kernels())) is KernelShortcutNorm
    others = [{}, {"device": "GPU", "kernels": library}, {"exporting": True, "kernels": library}]
    assert [type(batch_norm(4, LayerContext(**each))) for each in others] == [nn.BatchNorm2d] * 3
    synchronized = LayerContext(kernels=library, sync_bn=True, num_ranks=2)
    assert type(batch_norm(4, synchronized)) is SyncBatchNorm
    assert type(norm_activation(4, relu, synchronized)[1]) is nn.ReLU
    left = [type(conv(4, 4, bias=True, normed=True, context=each).bias_add) for each in (kernels(), synchronized)]
    assert left == [BiasLeft, ops.BiasAdd]
