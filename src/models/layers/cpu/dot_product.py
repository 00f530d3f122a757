"""The core of dot-product attention with a shorter backward pass, for the CPU."""

from mindspore import dtype as mstype
from mindspore import ops

from ..standard import DotProduct

FLOAT = mstype.float32


class CpuDotProduct(DotProduct):
    """DotProduct whose weights are for looking at: no gradient comes through them.

    With g the gradient of the mixed values y, the logits' is w * (g v^T - rowsum(g * y)): the sum is over d numbers
    where softmax's own backward pass sums over M (Dao et al., FlashAttention, 2022), and the matrix product subtracts
    it, as a further channel.
    """

    def __init__(self):
        super().__init__()
        self.mix_back = ops.BatchMatMul(transpose_a=True)

    def bprop(self, q, k, v, out, dout):
        # In float32 also under mixed precision.
        mixed, weights, gradient = out[0].astype(FLOAT), out[1].astype(FLOAT), dout[0].astype(FLOAT)
        values = v.astype(FLOAT)
        sums = ops.matmul(gradient * mixed, ops.ones((v.shape[-1], 1), FLOAT))
        values = ops.cat((values, ops.ones((*v.shape[:-1], 1), FLOAT)), -1)
        dlogits = weights * self.similarity(ops.cat((gradient, -sums), -1), values)
        dq, dk = self.mix(dlogits, k.astype(FLOAT)), self.mix_back(dlogits, q.astype(FLOAT))
        return dq.astype(q.dtype), dk.astype(k.dtype), self.mix_back(weights, gradient).astype(v.dtype)
