"""Nearest neighbours in feature space: ViG's graph (Han et al. 2022, section 3).

Letters in shape comments: B images, N nodes, M key nodes, C channels, K neighbours a node.
"""

from mindspore import dtype as mstype
from mindspore import nn, ops


class NearestNeighbours(nn.Cell):
    """Indices of every `dilation`-th of the nearest key nodes, nearest first, in float32 and without gradient.

    num_candidates: how many of the nearest are looked at, that is, K = ceil(num_candidates / dilation).
    normalize: compare directions, each vector divided by its length.
    """

    def __init__(self, num_candidates: int, dilation: int, *, normalize: bool):
        super().__init__()
        self.num_candidates = num_candidates
        self.dilation = dilation
        self.normalize = normalize
        self.inner = ops.BatchMatMul(transpose_b=True)
        self.top_k = ops.TopK(sorted=True)

    def construct(self, nodes, keys, relative_pos=None):
        """(B, N, C), (B, M, C), optional (1, N, M) added to the squared distance -> (B, N, K) int32."""
        nodes = self.directions(nodes)
        keys = self.directions(keys)
        # -|n - k|^2 less the node's own |n|^2, which doesn't change the order of its keys.
        squares = (keys * keys).sum(-1, keepdims=True).transpose((0, 2, 1))  # (B, 1, M)
        closeness = 2.0 * self.inner(nodes, keys) - squares  # (B, N, M)
        if relative_pos is not None:
            closeness = closeness - relative_pos.astype(mstype.float32)
        _, nearest = self.top_k(closeness, self.num_candidates)
        return nearest[:, :, :: self.dilation]

    def directions(self, x):
        x = ops.stop_gradient(x).astype(mstype.float32)
        if not self.normalize:
            return x
        length = ops.sqrt((x * x).sum(-1, keepdims=True))
        return x / ops.maximum(length, 1e-12)
