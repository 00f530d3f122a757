"""BatchNorm with the activation after it, and with the shortcut added in between, in one kernel each way."""

import numpy as np
from mindspore import Tensor, nn, ops

from .library import kernel


def _outputs(x, bias, *_others):
    """y; mean of x, 1 / deviation, the new moving mean and variance."""
    return x, bias, bias, bias, bias


def _gradients(x, gamma, *_others):
    """dx, dgamma, dbeta, dbias"""
    return x, gamma, gamma, gamma


def _shortcut_gradients(x, gamma, *_others):
    """dx, dgamma, dbeta, dbias, dshortcut"""
    return x, gamma, gamma, gamma, x


class NormFunction(nn.Cell):
    """activation(BatchNorm(x + bias)) as a function of all that it depends on.

    x (B, C, H, W); bias, gamma, beta, moving mean and variance (C,); settings (2,).

    Returns y (B, C, H, W) and, each (C,), the mean of x, 1 / deviation, the moving mean and variance after this batch.

    name: of the kernel, which says the activation and whose statistics count.
    settings: epsilon; the rate at which the moving statistics follow.
    """

    def __init__(self, library: str, name: str):
        super().__init__()
        self.forward = kernel(library, name, _outputs, _outputs)
        self.backward = kernel(library, f"{name}_backward", _gradients, _gradients)

    def construct(self, x, bias, gamma, beta, moving_mean, moving_variance, settings):
        return self.forward(x, bias, gamma, beta, moving_mean, moving_variance, settings)

    def bprop(self, x, bias, gamma, beta, moving_mean, moving_variance, settings, out, dout):
        dx, dgamma, dbeta, dbias = self.backward(x, gamma, beta, out[1], out[2], dout[0])
        zeros = ops.zeros_like(moving_mean)
        return dx, dbias, dgamma, dbeta, zeros, zeros, ops.zeros_like(settings)


class ShortcutNormFunction(nn.Cell):
    """relu(BatchNorm(x + bias) + shortcut), called like NormFunction, the shortcut (B, C, H, W) last."""

    def __init__(self, library: str, name: str):
        super().__init__()
        self.forward = kernel(library, name, _outputs, _outputs)
        self.backward = kernel(library, f"{name}_backward", _shortcut_gradients, _shortcut_gradients)

    def construct(self, x, bias, gamma, beta, moving_mean, moving_variance, settings, shortcut):
        return self.forward(x, bias, gamma, beta, moving_mean, moving_variance, settings, shortcut)

    def bprop(self, x, bias, gamma, beta, moving_mean, moving_variance, settings, shortcut, out, dout):
        dx, dgamma, dbeta, dbias, dshortcut = self.backward(x, gamma, out[1], out[2], out[0], dout[0])
        zeros = ops.zeros_like(moving_mean)
        return dx, dbias, dgamma, dbeta, zeros, zeros, ops.zeros_like(settings), dshortcut


class KernelBatchNorm(nn.BatchNorm2d):
    """nn.BatchNorm2d and what follows it: (B, C, H, W) -> the same shape.

    The input may be a pair (x, bias), as `convolution.normed_conv` returns it, for x + bias. In the output the bias
    cancels against the batch's mean, so that its gradient is exactly 0; the moving mean contains it.

    follows: "", "relu", "gelu", "tanh_gelu"; or "shortcut_relu", the cell then being called as f(x, shortcut).
    """

    def __init__(self, library: str, num_channels: int, follows: str = ""):
        super().__init__(num_channels)
        function = ShortcutNormFunction if follows == "shortcut_relu" else NormFunction
        name = f"norm_{follows}" if follows else "norm"
        self.by_batch = function(library, f"{name}_of_batch")
        self.by_moving = function(library, f"{name}_of_moving")
        self.settings = Tensor(np.array([self.eps, self.momentum], np.float32))
        self.no_bias = Tensor(np.zeros(num_channels, np.float32))

    def construct(self, x, *shortcut):
        x, bias = x if isinstance(x, tuple) else (x, self.no_bias)
        statistics = (bias, self.gamma, self.beta, self.moving_mean, self.moving_variance, self.settings)
        by_batch = self.training if self.use_batch_statistics is None else self.use_batch_statistics
        if not by_batch:
            return self.by_moving(x, *statistics, *shortcut)[0]
        y, _, _, mean, variance = self.by_batch(x, *statistics, *shortcut)
        ops.assign(self.moving_mean, mean)
        ops.assign(self.moving_variance, variance)
        return y
