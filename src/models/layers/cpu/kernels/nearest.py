"""Nearest neighbours in one pass, without the matrix of all distances."""

import numpy as np
from mindspore import Tensor, ops
from mindspore import dtype as mstype

from ...nodes import NearestNeighbours
from .library import kernel


class KernelNearestNeighbours(NearestNeighbours):
    """`nodes.NearestNeighbours`, called alike; of equally near keys the first."""

    def __init__(self, library: str, num_candidates: int, dilation: int, *, normalize: bool):
        super().__init__(num_candidates, dilation, normalize=normalize)
        num_neighbours = -(-num_candidates // dilation)

        def shape(nodes, *_others):
            return [nodes[0], nodes[1], num_neighbours]

        self.search = kernel(library, "nearest_neighbours", shape, lambda *_types: mstype.int32)
        form = np.array([num_candidates, dilation, normalize, False], np.int32)
        self.form = Tensor(form)
        self.form_with_offsets = Tensor(form + np.array([0, 0, 0, 1], np.int32))
        self.no_offsets = Tensor(np.zeros(1, np.float32))

    def construct(self, nodes, keys, relative_pos=None):
        nodes, keys = ops.stop_gradient(nodes), ops.stop_gradient(keys)
        if relative_pos is None:
            return self.search(nodes, keys, self.form, self.no_offsets)
        return self.search(nodes, keys, self.form_with_offsets, ops.stop_gradient(relative_pos))
