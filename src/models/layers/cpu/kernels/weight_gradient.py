"""Gradient of a convolution's weights by a kernel that needs the memory of a few lines.

The framework's own gradients of a convolution keep their working memory for as long as the layer lives, each layer for
itself: the input at all taps, 9 times its size, and several copies of the weights.
"""

import numpy as np
from mindspore import Tensor, nn

from .library import kernel


def _as_weights(_x, weight, *_others):
    return weight


class WeightGradient(nn.Cell):
    """x (B, C, H, W), weight (O, C, k, k), dy (B, O, H / stride, W / stride) -> (O, C, k, k).

    For a padding of dilation * (k // 2), without groups.
    """

    def __init__(self, library: str, *, stride: int = 1, dilation: int = 1):
        super().__init__()
        self.kernel = kernel(library, "conv_weight_gradient", _as_weights, _as_weights)
        self.steps = Tensor(np.zeros((stride, dilation), np.int32))  # its shape: kernels are told shapes

    def construct(self, x, weight, dy):
        return self.kernel(x, weight, dy, self.steps)
