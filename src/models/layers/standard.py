"""Standard formulations of the layers: their definitions, in the framework's own operators.

GPU and Ascend run them; what other devices build instead stands in `formulations.py`.
"""

from math import prod

from mindspore import nn, ops

SQRT_HALF = 0.7071067811865476
DENSITY_AT_0 = 0.3989422804014327  # of the standard normal, 1 / sqrt(2 pi)


class Conv(nn.Conv2d):
    """nn.Conv2d without a bias: its branch in `construct` takes long to compile."""

    def construct(self, x):
        return self.conv2d(x, self.weight)


class BiasedConv(nn.Conv2d):
    """nn.Conv2d with a bias."""

    def construct(self, x):
        return self.bias_add(self.conv2d(x, self.weight), self.bias)


def conv(
    in_channels: int,
    out_channels: int,
    kernel: int,
    *,
    stride: int,
    dilation: int,
    groups: int,
    bias: bool,
    kinds: tuple[type[nn.Conv2d], type[nn.Conv2d]] = (Conv, BiasedConv),
) -> nn.Conv2d:
    """(B, C, H, W) -> (B, out_channels, H / stride, W / stride), padded symmetrically.

    kinds: the class of one without a bias, and of one with it.
    """
    return kinds[bias](
        in_channels,
        out_channels,
        kernel,
        stride,
        pad_mode="pad",
        padding=dilation * (kernel // 2),
        dilation=dilation,
        group=groups,
        has_bias=bias,
        weight_init="zeros",
        bias_init="zeros",
    )


def linear(in_channels: int, out_channels: int) -> nn.Dense:
    """(R, in_channels) -> (R, out_channels)."""
    return nn.Dense(in_channels, out_channels, weight_init="zeros", bias_init="zeros")


def layer_norm(channels: int, epsilon: float) -> nn.Cell:
    """(..., C) -> the same shape."""
    return nn.LayerNorm((channels,), epsilon=epsilon)


class GeluFunction(nn.Cell):
    """Exact GELU, x * Phi(x), and its derivative, Phi(x) + x * phi(x): x (...) -> both (...).

    The derivative is given because the compiler's own, of Erf, has an operator for Ascend only, and because the
    backward pass is then one product, and this all that is kept for it. Where nothing is differentiated the compiler
    drops it.
    """

    def construct(self, x):
        cdf = 0.5 + 0.5 * ops.erf(SQRT_HALF * x)
        return x * cdf, cdf + DENSITY_AT_0 * x * ops.exp(-0.5 * x * x)

    def bprop(self, x, out, dout):
        return (dout[0] * out[1],)


class Gelu(nn.Cell):
    """Exact GELU, (...) -> the same shape."""

    def __init__(self):
        super().__init__()
        self.function = GeluFunction()

    def construct(self, x):
        return self.function(x)[0]


def tanh_gelu() -> nn.Cell:
    return nn.GELU(approximate=True)


def padded_max_pool(*, ceil: bool) -> nn.Cell:
    """3x3 max-pool of stride 2, one pixel around: (B, C, H, W) -> (B, C, ceil(H / 2), ceil(W / 2)).

    ceil: the last window may reach beyond that border, so that an even size n becomes n / 2 + 1.
    """
    return nn.MaxPool2d(3, 2, pad_mode="pad", padding=1, ceil_mode=ceil)


def same_max_pool() -> nn.Cell:
    """3x3 max-pool of stride 2, a border only where the windows need it: (B, C, H, W) -> (B, C, ceil(H / 2), ...)."""
    return nn.MaxPool2d(3, 2, pad_mode="same")


def global_average(x):
    """(B, C, H, W) -> (B, C)."""
    return x.mean((2, 3))


class OperatorResize(nn.Cell):
    """Bilinear, align_corners true: (B, C, H, W), (H', W') -> (B, C, H', W')."""

    def __init__(self):
        super().__init__()
        self.resize = ops.ResizeBilinearV2(align_corners=True)

    def construct(self, x, size):
        return self.resize(x, size)


class TransposedRows(nn.Cell):
    """x, taken as (B, *shape, C), with the axes of `shape` transposed -> (B, product of shape, C)."""

    def construct(self, x, shape, axes):
        channels = x.shape[-1]
        axes = (0, *(axis + 1 for axis in axes), len(shape) + 1)
        return x.reshape((-1, *shape, channels)).transpose(axes).reshape((-1, prod(shape), channels))


class RowMean(nn.Cell):
    """Mean of the rows of each: (B, N, C) -> (B, C)."""

    def construct(self, x):
        return x.mean(1)


class DotProduct(nn.Cell):
    """Queries (B, h, N, d), scaled, keys and values (B, h, M, d) -> mixed values (B, h, N, d), weights (B, h, N, M)."""

    def __init__(self):
        super().__init__()
        self.similarity = ops.BatchMatMul(transpose_b=True)
        self.mix = ops.BatchMatMul()

    def construct(self, q, k, v):
        weights = ops.softmax(self.similarity(q, k), -1)
        return self.mix(weights, v), weights


class MultiHeadMixture(nn.Cell):
    """Scaled dot-product attention of rows in several heads: queries (B, N, C), keys and values (B, M, C) -> (B, N, C).

    A head is C / heads channels of each row, those of the first head in front.
    """

    def __init__(self, num_heads: int, row_transpose: nn.Cell, dot_product: nn.Cell):
        super().__init__()
        self.num_heads = num_heads
        self.row_transpose = row_transpose
        self.dot_product = dot_product

    def heads(self, rows):
        """(B, N, C) -> (B, heads, N, C / heads)."""
        num_rows, channels = rows.shape[1:]
        head_channels = channels // self.num_heads
        rows = rows.reshape((-1, num_rows * self.num_heads, head_channels))
        rows = self.row_transpose(rows, (num_rows, self.num_heads), (1, 0))
        return rows.reshape((-1, self.num_heads, num_rows, head_channels))

    def mixed_and_weights(self, q, k, v):
        """Mixed values (B, heads, N, C / heads), and what `weights` gives."""
        scale = (q.shape[2] // self.num_heads) ** -0.5
        return self.dot_product(self.heads(q) * scale, self.heads(k), self.heads(v))

    def weights(self, q, k, v):
        """The share (B, heads, N, M) of its attention that each query gives to each key."""
        return self.mixed_and_weights(q, k, v)[1]

    def construct(self, q, k, v):
        mixed = self.mixed_and_weights(q, k, v)[0]
        num_rows, head_channels = mixed.shape[2:]
        mixed = mixed.reshape((-1, self.num_heads * num_rows, head_channels))
        mixed = self.row_transpose(mixed, (self.num_heads, num_rows), (1, 0))
        return mixed.reshape((-1, num_rows, self.num_heads * head_channels))
