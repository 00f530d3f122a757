"""LayerNorm over the last axis with a backward pass in matrix products, for the CPU."""

import numpy as np
from mindspore import Tensor, nn, ops
from mindspore import dtype as mstype

FLOAT = mstype.float32


class LayerNormFunction(nn.Cell):
    """The normalisation as a function of all three: x (..., C), gamma (C,), beta (C,) -> (..., C).

    Sums over a row, and over all rows, are fastest as matrix products.
    """

    def __init__(self, channels: int, epsilon: float):
        super().__init__()
        self.epsilon = epsilon
        self.normalize = ops.LayerNorm(-1, -1, epsilon)
        self.centre = Tensor((np.eye(channels) - 1.0 / channels).astype(np.float32))  # x @ centre: a row less its mean
        self.mean = Tensor(np.full((channels, 1), 1.0 / channels, np.float32))

    def construct(self, x, gamma, beta):
        return self.normalize(x, gamma, beta)[0]

    def bprop(self, x, gamma, beta, out, dout):
        channels = x.shape[-1]
        # In float32 also where mixed precision made everything here float16, the constants too.
        centre, mean, gamma = self.centre.astype(FLOAT), self.mean.astype(FLOAT), gamma.reshape((-1, 1)).astype(FLOAT)
        rows, drows = x.reshape((-1, channels)).astype(FLOAT), dout.reshape((-1, channels)).astype(FLOAT)  # (R, C)
        # With d = x - mean, s^2 = mean(d^2) + epsilon, y = d / s * gamma + beta and g = dy * gamma:
        # dx = (g - mean(g) - d * mean(g * d) / s^2) / s
        deviation = ops.matmul(rows, centre)
        variance = ops.matmul(deviation * deviation, mean) + self.epsilon  # (R, 1)
        scale = 1.0 / ops.sqrt(variance)
        product = drows * deviation
        slope = ops.matmul(product, mean * gamma) / variance
        dx = (ops.matmul(drows, gamma * centre) - deviation * slope) * scale
        dgamma = ops.matmul(scale.reshape((1, -1)), product).reshape((-1,))
        dbeta = ops.matmul(ops.ones((1, rows.shape[0]), FLOAT), drows).reshape((-1,))
        return dx.reshape(x.shape).astype(x.dtype), dgamma, dbeta


class CpuLayerNorm(nn.LayerNorm):
    """nn.LayerNorm over the last axis by LayerNormFunction, (..., C) -> the same shape."""

    def __init__(self, channels: int, epsilon: float):
        super().__init__((channels,), epsilon=epsilon)
        self.function = LayerNormFunction(channels, epsilon)

    def construct(self, x):
        return self.function(x, self.gamma, self.beta)
