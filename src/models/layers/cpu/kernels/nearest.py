"""Nearest neighbours in one pass, without the matrix of all distances."""

import numpy as np
from mindspore import Tensor, ops

from ...nodes import NearestNeighbours
from .library import kernel


def _shape(nodes, _keys, places, *_others):
    return [nodes[0], nodes[1], places[0]]


def _type(_nodes, _keys, places, *_others):
    return places


class KernelNearestNeighbours(NearestNeighbours):
    """`nodes.NearestNeighbours`, called alike; of equally near keys the first."""

    def __init__(self, library: str, num_candidates: int, dilation: int, *, normalize: bool):
        super().__init__(num_candidates, dilation, normalize=normalize)
        self.search = kernel(library, "nearest_neighbours", _shape, _type)
        self.places = Tensor(np.arange(0, num_candidates, dilation, dtype=np.int32))
        self.form = Tensor(np.array([normalize, False], np.int32))
        self.form_with_offsets = Tensor(np.array([normalize, True], np.int32))
        self.no_offsets = Tensor(np.zeros(1, np.float32))

    def construct(self, nodes, keys, relative_pos=None):
        nodes, keys = ops.stop_gradient(nodes), ops.stop_gradient(keys)
        if relative_pos is None:
            return self.search(nodes, keys, self.places, self.form, self.no_offsets)
        return self.search(nodes, keys, self.places, self.form_with_offsets, ops.stop_gradient(relative_pos))
