"""3x3 max-pool of stride 2 whose winners are kept in a byte each, for the backward pass."""

from collections.abc import Callable

from mindspore import dtype as mstype
from mindspore import nn

from .library import kernel


def _types(x):
    return x, mstype.uint8, mstype.uint8


def _gradient_shape(winners, size, _dy):
    return [*winners[:2], *size]


def _gradient_type(_winners, _size, dy):
    return dy


class MaxPoolFunction(nn.Cell):
    """x (B, C, H, W) -> y, winners (B, C, H', W') and, for its shape alone, a tensor (H, W).

    name: of the kernel, which says the border; num_windows: along an axis, of its size.
    """

    def __init__(self, library: str, name: str, num_windows: Callable[[int], int]):
        super().__init__()

        def shapes(x):
            windows = [*x[:2], *map(num_windows, x[2:])]
            return windows, windows, x[2:]

        self.forward = kernel(library, name, shapes, _types)
        self.backward = kernel(library, f"{name}_backward", _gradient_shape, _gradient_type)

    def construct(self, x):
        return self.forward(x)

    def bprop(self, x, out, dout):
        return (self.backward(out[1], out[2], dout[0]),)


class KernelMaxPool(nn.Cell):
    """`standard.padded_max_pool` or `standard.same_max_pool`: (B, C, H, W) -> (B, C, H', W').

    The first of equal numbers gets the gradient, and a NaN is larger than every number.
    """

    def __init__(self, *arguments):
        super().__init__()
        self.function = MaxPoolFunction(*arguments)

    def construct(self, x):
        return self.function(x)[0]


def _half(size: int) -> int:
    return (size + 1) // 2


def _half_and_one(size: int) -> int:
    return size // 2 + 1


def padded_max_pool(library: str, *, ceil: bool) -> KernelMaxPool:
    """`standard.padded_max_pool`."""
    if ceil:
        return KernelMaxPool(library, "max_pool_ceil", _half_and_one)
    return KernelMaxPool(library, "max_pool_pad", _half)


def same_max_pool(library: str) -> KernelMaxPool:
    """`standard.same_max_pool`, which on some devices overlooks a NaN; this one does not."""
    return KernelMaxPool(library, "max_pool_same", _half)
