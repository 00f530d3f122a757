"""Attention to samples between the pixels of a map, without the rows that it compares and mixes in memory."""

import numpy as np
from mindspore import Tensor, nn

from ...sampling import Sampling
from .library import kernel


def _outputs(q, _k, _v, _offsets, place_logits, _sides):
    """mixed, attention"""
    return q, place_logits


def _gradients(q, _k, _v, offsets, attention, *_others):
    """dq, dk, dv, doffsets, dlogits"""
    return q, q, q, offsets, attention


class KernelSampledMixture(nn.Cell):
    """`sampling.SampledMixture`, called alike; the attention has no gradient."""

    def __init__(self, library: str, sampling: Sampling, _named_rows: tuple[nn.Cell, nn.Cell, nn.Cell]):
        super().__init__()
        self.forward = kernel(library, "sampled_mixture", _outputs, _outputs)
        self.backward = kernel(library, "sampled_mixture_backward", _gradients, _gradients)
        self.sides = Tensor(np.array([sampling.height, sampling.width], np.int32))

    def construct(self, q, k, v, offsets, place_logits):
        return self.forward(q, k, v, offsets, place_logits, self.sides)

    def bprop(self, q, k, v, offsets, place_logits, out, dout):
        return self.backward(q, k, v, offsets, out[1], dout[0], self.sides)
