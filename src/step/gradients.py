"""Cells between the backward pass and the optimizer, acting on the tuple of gradients."""

from __future__ import annotations

from collections.abc import Sequence

import mindspore as ms
from mindspore import Parameter, Tensor, nn, ops

# One message of more than about 6M floats fails on the CPU's ring all-reduce.
BUCKET_FLOATS = 4_000_000


def make_buckets(sizes: Sequence[int], limit: int = BUCKET_FLOATS) -> list[tuple[int, int]]:
    """(begin, end) ranges of tensors of at most `limit` elements in total; a larger tensor has a range of its own."""
    buckets, begin, filled = [], 0, 0
    for index, size in enumerate(sizes):
        if index > begin and filled + size > limit:
            buckets.append((begin, index))
            begin, filled = index, 0
        filled += size
    return [*buckets, (begin, len(sizes))]


class AllReduceMean(nn.Cell):
    """Mean of the loss and the gradients over all ranks, with a few large messages instead of one per tensor.

    All ranks receive the same bits, so they take the same decisions on overflow and clipping.
    """

    def __init__(self, parameters: Sequence[Parameter], num_ranks: int):
        super().__init__()
        # The loss travels in the first message as one more tensor.
        sizes = [1, *(parameter.size for parameter in parameters)]
        self.buckets = nn.CellList([_BucketMean(sizes, *bounds, num_ranks) for bounds in make_buckets(sizes)])
        self.map = ops.HyperMap()

    def construct(self, loss: Tensor, gradients: tuple[Tensor, ...]) -> tuple[Tensor, tuple[Tensor, ...]]:
        """(scalar loss, gradients) -> the same shapes, float32: means over all ranks."""
        tensors = (loss, *gradients)
        flat = self.map(_flat, tensors)
        reduced = ()
        for bucket in self.buckets:
            reduced += bucket(flat)
        reduced = self.map(_in_shape_of, tensors, reduced)
        return reduced[0], reduced[1:]


class _BucketMean(nn.Cell):
    """Means over all ranks of the tensors begin:end of a tuple of flat tensors, with one message."""

    def __init__(self, sizes: Sequence[int], begin: int, end: int, num_ranks: int):
        super().__init__()
        self.begin, self.end = begin, end
        self.sizes = tuple(sizes[begin:end])
        self.share = 1.0 / num_ranks
        self.all_reduce = ops.AllReduce()

    def construct(self, flat: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """All flat tensors, each (size,) float32 -> those of this bucket, each (size,) float32."""
        message = ops.cat(flat[self.begin : self.end])
        return ops.split(self.all_reduce(message) * self.share, self.sizes)


def _flat(tensor: Tensor) -> Tensor:
    return tensor.astype(ms.float32).reshape(-1)


def _in_shape_of(tensor: Tensor, flat: Tensor) -> Tensor:
    return flat.reshape(tensor.shape)


def _centralized(gradient: Tensor) -> Tensor:
    if gradient.ndim > 1:
        return gradient - gradient.mean(axis=tuple(range(1, gradient.ndim)), keep_dims=True)
    return gradient


class Centralize(nn.Cell):
    """Gradient centralisation (Yong et al., arXiv 2004.01461): zero mean over each output channel's weights."""

    def __init__(self) -> None:
        super().__init__()
        self.map = ops.HyperMap()

    def construct(self, gradients: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """Gradients -> gradients of the same shapes; vectors and scalars are unchanged."""
        return self.map(_centralized, gradients)


class ClipGlobalNorm(nn.Cell):
    """Scale all gradients so that their global L2 norm is at most `limit`."""

    def __init__(self, limit: float):
        super().__init__()
        self.limit = limit
        self.map = ops.HyperMap()

    def construct(self, gradients: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """Gradients -> gradients of the same shapes, float32."""
        squares = self.map(sum_of_squares, gradients)
        norm = ops.sqrt(ops.addn(squares))
        factor = self.limit / ops.maximum(norm, Tensor(self.limit, ms.float32))
        return self.map(ops.partial(_scaled, factor), gradients)


class AllFinite(nn.Cell):
    """Check of the gradients for infinities and NaNs."""

    def __init__(self) -> None:
        super().__init__()
        self.map = ops.HyperMap()

    def construct(self, gradients: tuple[Tensor, ...]) -> Tensor:
        """Gradients -> boolean scalar: True if all elements are finite."""
        return ops.addn(self.map(_num_not_finite, gradients)) == 0


class Unscale(nn.Cell):
    """Division of the gradients by the loss scale."""

    def __init__(self) -> None:
        super().__init__()
        self.map = ops.HyperMap()

    def construct(self, scale: Tensor, gradients: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """(scalar scale, gradients) -> gradients of the same shapes, float32."""
        return self.map(ops.partial(_scaled, 1.0 / scale), gradients)


def sum_of_squares(gradient: Tensor) -> Tensor:
    """Sum of the squared elements, a float32 scalar."""
    return ops.square(gradient.astype(ms.float32)).sum()


def _scaled(factor: Tensor, gradient: Tensor) -> Tensor:
    return gradient.astype(ms.float32) * factor


def _num_not_finite(gradient: Tensor) -> Tensor:
    return ops.logical_not(ops.isfinite(gradient)).astype(ms.float32).sum()
