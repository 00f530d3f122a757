"""GELU of a sum of maps, from channels to tokens in the order of their groups, in one kernel each way."""

from math import prod

import numpy as np
from mindspore import Tensor, nn

from .library import kernel


def _tokens(x, _y, places):
    return [x[0], places[0], x[1]]


def _type(x, *_others):
    return x


def _gradient(x, *_others):
    return x


class KernelGeluTokens(nn.Cell):
    """`nodes.GeluTokens`, called alike."""

    def __init__(
        self, library: str, shape: tuple[int, ...], axes: tuple[int, ...], _gelu: nn.Cell, _row_transpose: nn.Cell
    ):
        super().__init__()
        self.forward = kernel(library, "gelu_tokens", _tokens, _type)
        self.backward = kernel(library, "gelu_tokens_backward", _gradient, _gradient)
        order = np.arange(prod(shape)).reshape(shape).transpose(axes).reshape(-1)
        self.places = Tensor(np.argsort(order).astype(np.int32))  # of each pixel's token

    def construct(self, x, y):
        return self.forward(x, y, self.places)

    def bprop(self, x, y, out, dout):
        gradient = self.backward(x, y, self.places, dout)
        return gradient, gradient
