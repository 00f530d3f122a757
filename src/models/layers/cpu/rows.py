"""Linear layers of rows, and rows in another order, for the CPU."""

from math import prod

import numpy as np
from mindspore import Tensor, nn, ops
from mindspore import dtype as mstype


class RowBias(nn.Cell):
    """Sum of rows and bias, (R, C), (C,) -> (R, C).

    Its own backward pass sums over the rows by a matrix product: 2.4 ms for 25088 x 512, the operator takes 98.
    """

    def __init__(self):
        super().__init__()
        self.add = ops.BiasAdd()
        self.cast = ops.Cast()
        self.multiply = ops.MatMul()

    def construct(self, rows, bias):
        return self.add(rows, bias)

    def sum(self, rows):
        """(R, C) -> (C,)."""
        ones = ops.ones((1, rows.shape[0]), mstype.float32)
        return self.multiply(ones, self.cast(rows, mstype.float32)).reshape((-1,))

    def bprop(self, rows, bias, out, dout):
        return dout, self.sum(dout)


class RowDense(nn.Dense):
    """nn.Dense with a bias for rows alone: its branches for other shapes take long to compile."""

    def __init__(self, in_channels: int, out_channels: int):
        super().__init__(in_channels, out_channels, weight_init="zeros", bias_init="zeros")
        self.bias_add = RowBias()

    def construct(self, x):
        return self.bias_add(self.matmul(x, self.weight), self.bias)


class ProductMean(nn.Cell):
    """`standard.RowMean` as a matrix product, (B, N, C) -> (B, C)."""

    def __init__(self):
        super().__init__()
        self.multiply = ops.BatchMatMul()

    def construct(self, x):
        num_sets, num_rows, channels = x.shape
        ones = ops.ones((num_sets, 1, num_rows), x.dtype)
        return self.multiply(ones, x).reshape((-1, channels)) / num_rows


@ops.constexpr
def orders(shape: tuple[int, ...], axes: tuple[int, ...]) -> tuple[Tensor, Tensor]:
    """The rows' numbers in their new order, and in the order that undoes it."""
    order = np.arange(prod(shape)).reshape(shape).transpose(axes).reshape(-1)
    return Tensor(order, mstype.int32), Tensor(np.argsort(order), mstype.int32)


class Permutation(nn.Cell):
    """x (B, M, C), a permutation of 0 ... M - 1 and its inverse -> (B, M, C)."""

    def construct(self, x, order, inverse):
        return ops.gather(x, order, 1)

    def bprop(self, x, order, inverse, out, dout):
        return ops.gather(dout, inverse, 1), ops.zeros_like(order), ops.zeros_like(inverse)


class GatheredRows(nn.Cell):
    """`standard.TransposedRows`, called alike, by copying whole rows: (B, M, C) -> (B, M, C), M the product of shape.

    Faster than the CPU's transposition, which also holds 8 bytes an element for good.
    """

    def __init__(self):
        super().__init__()
        self.gather = Permutation()

    def construct(self, x, shape, axes):
        order, inverse = orders(shape, axes)
        return self.gather(x.reshape((-1, order.shape[0], x.shape[-1])), order, inverse)
