"""Attention of several heads from rows to rows, without the heads' matrices in memory."""

import numpy as np
from mindspore import Tensor, nn, ops

from ...standard import MultiHeadMixture
from .library import kernel


def _mixed(q, *_others):
    return q


def _gradients(q, k, v, bias, *_others):
    """dq, dk, dv, dbias_q, dbias_k, dbias_v"""
    return q, k, v, bias, bias, bias


class MultiHeadMixtureFunction(nn.Cell):
    """Queries (B, N, C), keys and values (B, M, C), a bias (C,) of each -> mixed (B, N, C)."""

    def __init__(self, library: str, num_heads: int):
        super().__init__()
        self.forward = kernel(library, "multi_head_mixture", _mixed, _mixed)
        self.backward = kernel(library, "multi_head_mixture_backward", _gradients, _gradients)
        self.number = Tensor(np.array([num_heads], np.int32))

    def construct(self, q, k, v, bias_q, bias_k, bias_v):
        return self.forward(q, k, v, bias_q, bias_k, bias_v, self.number)

    def bprop(self, q, k, v, bias_q, bias_k, bias_v, out, dout):
        return self.backward(q, k, v, bias_q, bias_k, bias_v, dout, self.number)


def _rows_and_bias(x):
    """A pair as it is; rows (B, N, C) with a bias of zeros."""
    return x if isinstance(x, tuple) else (x, ops.zeros((x.shape[2],), x.dtype))


def _with_bias(x):
    rows, bias = _rows_and_bias(x)
    return rows + bias


class KernelMultiHeadMixture(MultiHeadMixture):
    """`standard.MultiHeadMixture`, called alike; the weights, which are for looking at, come from the framework.

    Each input may be a pair (rows, bias (C,)), as `bias.linear_leaving_bias` returns it, for rows + bias.
    """

    def __init__(self, library: str, num_heads: int, row_transpose: nn.Cell, dot_product: nn.Cell):
        super().__init__(num_heads, row_transpose, dot_product)
        self.function = MultiHeadMixtureFunction(library, num_heads)

    def weights(self, q, k, v):
        return super().weights(_with_bias(q), _with_bias(k), _with_bias(v))

    def construct(self, q, k, v):
        (q, bias_q), (k, bias_k), (v, bias_v) = _rows_and_bias(q), _rows_and_bias(k), _rows_and_bias(v)
        return self.function(q, k, v, bias_q, bias_k, bias_v)
