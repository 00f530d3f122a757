"""The table of formulations: which cell is built for a layer, by the device it will run on.

A layer's standard formulation (`standard.py`, `nodes.py`) defines it, and is what GPU and Ascend run. The CPU has
faster ones of its own (`cpu/`), and faster ones still where kernels in C++ could be compiled (`cpu/kernels/`). An
exported network is traced in operators that ONNX has (`export/`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from mindspore import nn

from . import nodes, sampling, standard
from .cpu import activation, convolution, dense_rows, dot_product, layer_norm, neighbour_max, rows
from .cpu.kernels import max_pool
from .cpu.kernels.batch_norm import KernelShortcutNorm, kernel_batch_norm
from .cpu.kernels.bias import linear_leaving_bias
from .cpu.kernels.convolution import conv as kernel_conv
from .cpu.kernels.convolution import normed_conv as kernel_normed_conv
from .cpu.kernels.feed_forward import linear_gelu_linear
from .cpu.kernels.gelu_tokens import KernelGeluTokens
from .cpu.kernels.graph_feature import KernelMaxRelative
from .cpu.kernels.layer_norm import KernelLayerNorm
from .cpu.kernels.library import SOURCES as KERNEL_SOURCES  # noqa: F401 (the way in for others)
from .cpu.kernels.multi_head_mixture import KernelMultiHeadMixture
from .cpu.kernels.nearest import KernelNearestNeighbours
from .cpu.kernels.row_products import linear as kernel_linear
from .cpu.kernels.sampled_mixture import KernelSampledMixture
from .cpu.kernels.swapped_axes import KernelSwappedAxes
from .export import graphs, operators


@dataclass(frozen=True)
class LayerContext:
    """Where a network will run; layers choose their formulation by it at construction.

    Attributes:
        device: "CPU", "GPU" or "Ascend".
        rank, num_ranks: this process among the data-parallel ones.
        sync_bn: batch statistics over all ranks.
        exporting: use only operators that ONNX can express, with no literal batch size in the graph.
        kernels: path of the library compiled from `cpu/kernels/`, for float32 on the CPU; "" for none.
    """

    device: str = "CPU"
    rank: int = 0
    num_ranks: int = 1
    sync_bn: bool = False
    exporting: bool = False
    kernels: str = ""

    @property
    def uses_kernels(self) -> bool:
        """Whether layers may be built from the kernels of the library."""
        return self.kernels != "" and self.device == "CPU" and not self.exporting

    @property
    def synchronizes(self) -> bool:
        """Whether BatchNorm's statistics are those of several processes."""
        return self.sync_bn and self.num_ranks > 1

    @property
    def joins_norms(self) -> bool:
        """Whether a BatchNorm takes over what follows it."""
        return self.uses_kernels and not self.synchronizes


@dataclass(frozen=True)
class Formulations:
    """The ways to build one layer, called alike; None: as the standard one, and instead of kernels as the CPU's.

    That of `kernels` is called with the library's path before the other arguments.
    """

    standard: Callable[..., nn.Cell]
    cpu: Callable[..., nn.Cell] | None = None
    export: Callable[..., nn.Cell] | None = None
    kernels: Callable[..., nn.Cell] | None = None


TABLE = {
    "batch_norm": Formulations(nn.BatchNorm2d, kernels=kernel_batch_norm),
    "shortcut_norm": Formulations(None, kernels=KernelShortcutNorm),
    "conv": Formulations(standard.conv, cpu=convolution.conv, kernels=kernel_conv),
    "normed_conv": Formulations(standard.conv, cpu=convolution.conv, kernels=kernel_normed_conv),
    "linear": Formulations(standard.linear, cpu=rows.RowDense, kernels=kernel_linear),
    "mixed_linear": Formulations(standard.linear, cpu=rows.RowDense, kernels=linear_leaving_bias),
    "layer_norm": Formulations(standard.layer_norm, cpu=layer_norm.CpuLayerNorm, kernels=KernelLayerNorm),
    "gelu": Formulations(standard.Gelu, export=operators.GeluWithoutErf),
    "tanh_gelu": Formulations(standard.tanh_gelu, cpu=activation.TanhGelu, export=activation.TanhGelu),
    "dot_product": Formulations(standard.DotProduct, cpu=dot_product.CpuDotProduct),
    "multi_head_mixture": Formulations(standard.MultiHeadMixture, kernels=KernelMultiHeadMixture),
    "row_transpose": Formulations(standard.TransposedRows, cpu=rows.GatheredRows),
    "row_mean": Formulations(standard.RowMean, cpu=rows.ProductMean),
    "swapped_axes": Formulations(nodes.SwappedAxes, kernels=KernelSwappedAxes),
    "gelu_tokens": Formulations(nodes.GeluTokens, kernels=KernelGeluTokens),
    "same_max_pool": Formulations(standard.same_max_pool, kernels=max_pool.same_max_pool),
    "padded_max_pool": Formulations(
        standard.padded_max_pool, export=operators.PaddedMaxPool, kernels=max_pool.padded_max_pool
    ),
    "bilinear_resize": Formulations(standard.OperatorResize, cpu=operators.MatrixResize, export=operators.MatrixResize),
    "neighbour_max": Formulations(nodes.NeighbourMax, cpu=neighbour_max.CpuNeighbourMax, export=graphs.NeighbourMax),
    "max_relative": Formulations(nodes.MaxRelative, kernels=KernelMaxRelative),
    "nearest_neighbours": Formulations(nodes.NearestNeighbours, kernels=KernelNearestNeighbours),
    "named_rows": Formulations(nodes.named_rows, cpu=dense_rows.named_rows, export=graphs.named_rows),
    "sampled_mixture": Formulations(sampling.SampledMixture, kernels=KernelSampledMixture),
}


def formulation(layer: str, context: LayerContext) -> Callable[..., nn.Cell]:
    """What builds this layer of the table in this context."""
    ways = TABLE[layer]
    if context.exporting:
        return ways.export or ways.standard
    if context.uses_kernels and ways.kernels:
        return partial(ways.kernels, context.kernels)
    if context.device == "CPU":
        return ways.cpu or ways.standard
    return ways.standard


def conv(
    in_channels: int,
    out_channels: int,
    kernel: int = 1,
    *,
    stride: int = 1,
    dilation: int = 1,
    groups: int = 1,
    bias: bool,
    normed: bool = False,
    context: LayerContext,
) -> nn.Cell:
    """Convolution with padding dilation * (kernel // 2); weight (out, in / groups, kernel, kernel).

    Zeros until the keyed initialisation fills it. normed: a BatchNorm follows directly, which may add the bias instead.
    """
    layer = "normed_conv" if normed and context.joins_norms else "conv"
    return formulation(layer, context)(
        in_channels, out_channels, kernel, stride=stride, dilation=dilation, groups=groups, bias=bias
    )


def linear(in_channels: int, out_channels: int, context: LayerContext, *, mixed: bool = False) -> nn.Cell:
    """(rows, in) -> (rows, out), with bias; zeros until the keyed initialisation.

    mixed: a `multi_head_mixture` follows, which may add the bias instead; then it returns a pair of rows and bias.
    """
    return formulation("mixed_linear" if mixed else "linear", context)(in_channels, out_channels)


def linear_activation_linear(
    in_channels: int,
    hidden_channels: int,
    out_channels: int,
    activation: Callable[[LayerContext], nn.Cell],
    context: LayerContext,
) -> tuple[nn.Cell, nn.Cell, nn.Cell]:
    """(linear layer, activation, linear layer), to be called one after the other, (rows, in) -> (rows, out).

    The last may do the activation too, and the second then nothing. activation: `gelu` or `tanh_gelu`.
    """
    if context.uses_kernels:
        sizes = (in_channels, hidden_channels, out_channels)
        return linear_gelu_linear(context.kernels, *sizes, activation.__name__)
    first, second = linear(in_channels, hidden_channels, context), linear(hidden_channels, out_channels, context)
    return first, activation(context), second


def layer_norm(channels: int, epsilon: float, context: LayerContext) -> nn.Cell:
    """LayerNorm over the last axis of (..., C); parameters gamma and beta."""
    return formulation("layer_norm", context)(channels, epsilon)


def gelu(context: LayerContext) -> nn.Cell:
    """Exact (erf) GELU, element by element."""
    return formulation("gelu", context)()


def tanh_gelu(context: LayerContext) -> nn.Cell:
    """GELU in its tanh approximation, element by element."""
    return formulation("tanh_gelu", context)()


def multi_head_mixture(num_heads: int, context: LayerContext) -> nn.Cell:
    """Attention in several heads, between its linear layers; see `standard.MultiHeadMixture`."""
    core = formulation("dot_product", context)()
    return formulation("multi_head_mixture", context)(num_heads, row_transpose(context), core)


def row_transpose(context: LayerContext) -> nn.Cell:
    """A cell called as f(x, shape, axes): x, taken as (B, *shape, C), with the axes of `shape` transposed.

    Returns (B, product of shape, C).
    """
    return formulation("row_transpose", context)()


def row_mean(context: LayerContext) -> nn.Cell:
    """The mean of the rows of each: (B, N, C) -> (B, C)."""
    return formulation("row_mean", context)()


def swapped_axes(context: LayerContext) -> nn.Cell:
    """(B, M, N) -> (B, N, M); for `nodes_of` and `map_of`."""
    return formulation("swapped_axes", context)()


def gelu_tokens(shape: tuple[int, ...], axes: tuple[int, ...], context: LayerContext) -> nn.Cell:
    """tanh-GELU of the sum of two maps, as tokens in the order of their groups; see `nodes.GeluTokens`."""
    return formulation("gelu_tokens", context)(shape, axes, tanh_gelu(context), row_transpose(context))


def max_pool_after_relu(border: str, context: LayerContext) -> nn.Cell:
    """3x3 max-pool of stride 2 for maps that are never negative, (B, C, H, W) -> (B, C, ceil(H / 2), ceil(W / 2)).

    border "pad": one pixel on every side (PyTorch's definition); "same": only where the window needs it, so at an even
    size at the bottom and right. The two differ by a shift of one pixel, so the border belongs to the weights.
    """
    if border == "same":
        return formulation("same_max_pool", context)()
    if border != "pad":
        raise ValueError(f"stem_pool is {border!r}; choose 'same' or 'pad'")
    return formulation("padded_max_pool", context)(ceil=False)


def ceil_max_pool_after_relu(context: LayerContext) -> nn.Cell:
    """3x3 max-pool of stride 2, one pixel around, and a last window that may reach one pixel beyond that border
    (PyTorch's ceil_mode): an even size n becomes n / 2 + 1, an odd one (n + 1) / 2.
    """
    return formulation("padded_max_pool", context)(ceil=True)


def bilinear_resize(context: LayerContext) -> nn.Cell:
    """A cell called as resize(x, (H', W')): (B, C, H, W) -> (B, C, H', W'), whose corner positions stay."""
    return formulation("bilinear_resize", context)()


def neighbour_max(num_neighbours: int, context: LayerContext) -> nn.Cell:
    """The largest value of each channel among a node's neighbours; see `nodes.NeighbourMax`."""
    return formulation("neighbour_max", context)(num_neighbours)


def max_relative(num_neighbours: int, interleave: bool, context: LayerContext) -> nn.Cell:
    """Node features and how far their neighbours exceed them; see `nodes.MaxRelative`."""
    return formulation("max_relative", context)(neighbour_max(num_neighbours, context), interleave=interleave)


def nearest_neighbours(num_candidates: int, dilation: int, normalize: bool, context: LayerContext) -> nn.Cell:
    """Which key nodes are nearest to each node; see `nodes.NearestNeighbours`."""
    return formulation("nearest_neighbours", context)(num_candidates, dilation, normalize=normalize)


def named_rows(num_nodes: int, context: LayerContext) -> tuple[nn.Cell, nn.Cell, nn.Cell]:
    """(number, compare, mix) for rows that name others of their image; see `nodes.named_rows`."""
    return formulation("named_rows", context)(num_nodes)


def sampled_mixture(places: sampling.Sampling, context: LayerContext) -> nn.Cell:
    """Attention to samples between the pixels of a map; see `sampling.SampledMixture`."""
    rows = named_rows(places.height * places.width, context)
    return formulation("sampled_mixture", context)(places, rows)
