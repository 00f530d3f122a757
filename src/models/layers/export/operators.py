"""Exportable GELU, max-pool and bilinear resize, whose usual operators ONNX export lacks."""

import mindspore as ms
import numpy as np
from mindspore import Tensor, nn, ops

SQRT_HALF = 0.7071067811865476


class GeluWithoutErf(nn.Cell):
    """Exact GELU as relu(x) - |x| * Q(|x|), Q the normal tail: (...) -> the same shape.

    Q comes from Abramowitz and Stegun 7.1.26, |error of erf| <= 1.5e-7.
    """

    def __init__(self):
        super().__init__()
        self.one = Tensor(1.0, ms.float32)  # 1.0 / x would become a Reciprocal, which ONNX export lacks too

    def construct(self, x):
        size = ops.maximum(x, -x)
        t = self.one / (1.0 + 0.3275911 * SQRT_HALF * size)
        series = 1.421413741 + t * (-1.453152027 + t * 1.061405429)
        series = t * (0.254829592 + t * (-0.284496736 + t * series))
        tail = 0.5 * series * ops.exp(-0.5 * x * x)
        return ops.relu(x) - size * tail


class PaddedMaxPool(nn.Cell):
    """`standard.padded_max_pool` with a border of zeros, (B, C, H, W) -> (B, C, about H / 2, about W / 2).

    For maps that are never negative (after a ReLU).
    """

    def __init__(self, *, ceil: bool):
        super().__init__()
        after = 2 if ceil else 1  # at an odd size 1 is enough for `ceil` too; the second pixel is then in no window
        self.pad = ops.Pad(((0, 0), (0, 0), (1, after), (1, after)))
        self.pool = nn.MaxPool2d(3, 2, pad_mode="valid")

    def construct(self, x):
        return self.pool(self.pad(x))


@ops.constexpr
def interpolation_matrix(size_in: int, size_out: int) -> Tensor:
    """(size_out, size_in): each row weighs the two input positions around an output position."""
    step = (size_in - 1) / max(size_out - 1, 1)
    position = np.arange(size_out) * step
    distance = np.abs(position[:, None] - np.arange(size_in))
    return Tensor(np.maximum(1.0 - distance, 0.0), ms.float32)


class MatrixResize(nn.Cell):
    """Bilinear, align_corners true, by a matrix product for each axis: (B, C, H, W), (H', W') -> (B, C, H', W').

    The CPU takes it too: the operator's gradient takes 2 to 5 times as long there (19 maps of 53 x 53 to 416 x 416:
    26 ms against 6 ms).
    """

    def construct(self, x, size):
        height, width = x.shape[2:]
        rows = interpolation_matrix(height, size[0]).astype(x.dtype)
        columns = interpolation_matrix(width, size[1]).astype(x.dtype)
        return ops.matmul(rows, ops.matmul(x, columns.T))  # (H', H) @ (B, C, H, W) @ (W, W')
