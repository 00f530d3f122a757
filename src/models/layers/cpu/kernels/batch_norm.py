"""BatchNorm with the activation after it, and with the shortcut added in between, in one kernel each way."""

import numpy as np
from mindspore import Tensor, nn

from .library import InPlaceKernel, in_place_signature, kernel

INPUTS = ("x", "bias", "gamma", "beta", "moving_mean", "moving_variance", "settings")
CHANGED = ("moving_mean", "moving_variance")


def _shapes(x, bias, *_others):
    """y; kept: mean of x, 1 / deviation"""
    return x, [2, bias[0]]


def _types(x, *_others):
    return x, x


def _gradients(x, gamma, *_others):
    """dx, dgamma, dbeta, dbias"""
    return x, gamma, gamma, gamma


def _shortcut_gradients(x, gamma, *_others):
    """dx, dgamma, dbeta, dbias, dshortcut"""
    return x, gamma, gamma, gamma, x


class MovingNorm(InPlaceKernel):
    """The kernel that normalises by the batch and moves the moving statistics."""

    __mindspore_signature__ = in_place_signature(INPUTS, CHANGED)


class MovingShortcutNorm(InPlaceKernel):
    """The same with a shortcut."""

    __mindspore_signature__ = in_place_signature((*INPUTS, "shortcut"), CHANGED)


class NormFunction(nn.Cell):
    """activation(BatchNorm(x + bias)) as a function of all that has a gradient.

    x (B, C, H, W); bias, gamma, beta (C,).

    Returns y (B, C, H, W), and what is kept for the backward pass (2, C): the mean of x, 1 / deviation.

    name: of the kernel, which says the activation and whose statistics count.
    norm: its moving statistics (C,) are used. They are stored behind Cell's back: they remain that cell's parameters.
    moves: the moving statistics follow the batch's, in place.
    settings (2,): epsilon; the rate at which the moving statistics follow.
    """

    moving_kernel, gradients = MovingNorm, staticmethod(_gradients)

    def __init__(self, library: str, name: str, norm: nn.BatchNorm2d, settings: Tensor, *, moves: bool):
        super().__init__()
        object.__setattr__(self, "moving_mean", norm.moving_mean)
        object.__setattr__(self, "moving_variance", norm.moving_variance)
        self.settings = settings
        self.forward = (self.moving_kernel if moves else kernel)(library, name, _shapes, _types)
        self.backward = kernel(library, f"{name}_backward", self.gradients, self.gradients)

    def construct(self, x, bias, gamma, beta):
        return self.forward(x, bias, gamma, beta, self.moving_mean, self.moving_variance, self.settings)

    def bprop(self, x, bias, gamma, beta, out, dout):
        dx, dgamma, dbeta, dbias = self.backward(x, gamma, beta, out[1], dout[0])
        return dx, dbias, dgamma, dbeta


class ShortcutNormFunction(NormFunction):
    """relu(BatchNorm(x + bias) + shortcut), called like NormFunction, the shortcut (B, C, H, W) last."""

    moving_kernel, gradients = MovingShortcutNorm, staticmethod(_shortcut_gradients)

    def construct(self, x, bias, gamma, beta, shortcut):
        return self.forward(x, bias, gamma, beta, self.moving_mean, self.moving_variance, self.settings, shortcut)

    def bprop(self, x, bias, gamma, beta, shortcut, out, dout):
        dx, dgamma, dbeta, dbias, dshortcut = self.backward(x, gamma, out[1], out[0], dout[0])
        return dx, dbias, dgamma, dbeta, dshortcut


class KernelBatchNorm(nn.BatchNorm2d):
    """nn.BatchNorm2d and the activation after it: (B, C, H, W) -> the same shape.

    follows: "", "relu", "gelu", "tanh_gelu".
    """

    def __init__(self, library: str, num_channels: int, follows: str = "", function: type[nn.Cell] = NormFunction):
        super().__init__(num_channels)
        name = f"norm_{follows}" if follows else "norm"
        settings = Tensor(np.array([self.eps, self.momentum], np.float32))
        self.by_batch = function(library, f"{name}_of_batch", self, settings, moves=True)
        self.by_moving = function(library, f"{name}_of_moving", self, settings, moves=False)
        self.no_bias = Tensor(np.zeros(num_channels, np.float32))

    @property
    def function(self) -> nn.Cell:
        """The one whose statistics count; a property, since branches in `construct` take long to compile."""
        by_batch = self.training if self.use_batch_statistics is None else self.use_batch_statistics
        return self.by_batch if by_batch else self.by_moving

    def construct(self, x):
        return self.function(x, self.no_bias, self.gamma, self.beta)[0]


class KernelBiasedNorm(KernelBatchNorm):
    """The same for a pair (x, bias), as `convolution.normed_conv` returns it, in the place of x + bias.

    In the output the bias cancels against the batch's mean, so that its gradient is exactly 0; the moving mean contains
    it.
    """

    def construct(self, x_and_bias):
        x, bias = x_and_bias
        return self.function(x, bias, self.gamma, self.beta)[0]


class KernelShortcutNorm(KernelBatchNorm):
    """relu(BatchNorm(x) + shortcut): (B, C, H, W) twice -> the same shape."""

    def __init__(self, library: str, num_channels: int):
        super().__init__(library, num_channels, "shortcut_relu", ShortcutNormFunction)

    def construct(self, x, shortcut):
        return self.function(x, self.no_bias, self.gamma, self.beta, shortcut)[0]


def kernel_batch_norm(library: str, num_channels: int, follows: str = "", *, biased: bool = False) -> nn.BatchNorm2d:
    """biased: called with a pair. Either is a class of its own, since branches in `construct` take long to compile."""
    return (KernelBiasedNorm if biased else KernelBatchNorm)(library, num_channels, follows)
