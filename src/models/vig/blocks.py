"""A ViG block: Grapher (exchange between nodes), then a feed-forward network (each node by itself); and the head."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from mindspore import Parameter, Tensor, nn

from ..layers import (
    Activation,
    LayerContext,
    batch_norm,
    chain,
    conv,
    conv_norm,
    drop_path,
    dropout,
    gelu,
    max_relative,
    nearest_neighbours,
    nodes_of,
    norm_activation,
    tanh_gelu,
)

GRAPH_CONV_GROUPS = 4


@dataclass(frozen=True)
class Form:
    """Where the published implementations of one network differ.

    normalize: node vectors are compared by direction only.
    widen: a dilated graph looks at k * dilation candidates and keeps k; otherwise at k, and keeps ceil(k / dilation).
    interleave: [x_0, m_0, x_1, m_1, ...] goes into the grouped convolution instead of [x, m].
    bias: convolutions in front of a BatchNorm have biases too (the graph convolution and the head always have).
    tanh_gelu: GELU's tanh approximation instead of the exact one.
    pos_deviation: the position embedding starts truncated normal with this deviation; 0 starts it at zero.
    """

    normalize: bool
    widen: bool
    interleave: bool
    bias: bool
    tanh_gelu: bool
    pos_deviation: float

    @property
    def activation(self) -> Activation:
        return tanh_gelu if self.tanh_gelu else gelu


class Stem(nn.Cell):
    """3x3 convolutions from an image to the first node features: (B, 3, S, S) -> (B, C, S / stride, S / stride).

    widths: channels before and after each convolution; strides: of each, their product is the stem's stride.
    """

    def __init__(self, widths: Sequence[int], strides: Sequence[int], form: Form, context: LayerContext):
        super().__init__()
        cells = []
        for before, after, stride in zip(widths[:-1], widths[1:], strides, strict=True):
            cells += [
                conv(before, after, 3, stride=stride, bias=form.bias, normed=True, context=context),
                *norm_activation(after, form.activation, context, biased=form.bias),
            ]
        cells[-2:] = [batch_norm(widths[-1], context, biased=form.bias)]  # no activation after the last
        self.convs = chain(cells, context)

    def construct(self, x):
        return self.convs(x)


class MaxRelativeConv(nn.Cell):
    """A grouped 1x1 convolution of node features and how far their neighbours exceed them."""

    def __init__(self, channels: int, form: Form, context: LayerContext):
        super().__init__()
        cells = [
            conv(2 * channels, 2 * channels, groups=GRAPH_CONV_GROUPS, bias=True, normed=True, context=context),
            *norm_activation(2 * channels, form.activation, context, biased=True),
        ]
        self.nn = chain(cells, context)

    def construct(self, both):
        """(B, 2C, H, W) -> the same shape."""
        return self.nn(both)


class DynamicGraphConv(nn.Cell):
    """Graph convolution whose graph is built anew from the features of each layer.

    reduction r > 1: the neighbours are looked for on the r x r average-pooled map.
    """

    def __init__(self, channels: int, k: int, dilation: int, form: Form, context: LayerContext, *, reduction: int = 1):
        super().__init__()
        num_candidates = k * dilation if form.widen else k
        self.knn = nearest_neighbours(num_candidates, dilation, form.normalize, context)
        self.num_neighbours = -(-num_candidates // dilation)
        self.max_relative = max_relative(self.num_neighbours, form.interleave, context)
        self.gconv = MaxRelativeConv(channels, form, context)
        self.reduction = reduction
        self.pool = nn.AvgPool2d(reduction, reduction)

    def search(self, x, relative_pos=None):
        """(B, C, H, W) -> key nodes (B, M, C), and which of them are each node's neighbours (B, N, K)."""
        nodes = nodes_of(x)  # (B, N, C)
        keys = nodes_of(self.pool(x)) if self.reduction > 1 else nodes
        return keys, self.knn(nodes, keys, relative_pos)

    def construct(self, x, relative_pos=None):
        """(B, C, H, W) -> (B, 2C, H, W)."""
        keys, neighbours = self.search(x, relative_pos)
        return self.gconv(self.max_relative(x, keys, neighbours))


class Grapher(nn.Cell):
    """x + fc2(graph convolution(fc1(x))), (B, C, H, W) -> the same shape.

    relative_pos: (1, N, M) fixed term of the squared distance, kept in the checkpoint but not trained.
    """

    def __init__(
        self,
        channels: int,
        k: int,
        dilation: int,
        drop_rate: float,
        form: Form,
        context: LayerContext,
        *,
        reduction: int = 1,
        relative_pos: np.ndarray | None = None,
    ):
        super().__init__()
        self.fc1 = conv_norm(channels, channels, bias=form.bias, context=context)
        self.graph_conv = DynamicGraphConv(channels, k, dilation, form, context, reduction=reduction)
        self.fc2 = conv_norm(2 * channels, channels, bias=form.bias, context=context)
        self.drop_path = drop_path(drop_rate)
        self.relative_pos = None
        if relative_pos is not None:
            self.relative_pos = Parameter(Tensor(relative_pos), name="relative_pos", requires_grad=False)

    def construct(self, x):
        return x + self.drop_path(self.fc2(self.graph_conv(self.fc1(x), self.relative_pos)))

    def neighbours(self, x):
        """(B, C, H, W) -> (B, N, K) int32: the key nodes that `construct` compares each node with."""
        return self.graph_conv.search(self.fc1(x), self.relative_pos)[1]


class FeedForward(nn.Cell):
    """x + fc2(GELU(fc1(x))) with 4C hidden channels, (B, C, H, W) -> the same shape."""

    def __init__(self, channels: int, drop_rate: float, form: Form, context: LayerContext):
        super().__init__()
        norm, self.act = norm_activation(4 * channels, form.activation, context, biased=form.bias)
        self.fc1 = chain([conv(channels, 4 * channels, bias=form.bias, normed=True, context=context), norm], context)
        self.fc2 = conv_norm(4 * channels, channels, bias=form.bias, context=context)
        self.drop_path = drop_path(drop_rate)

    def construct(self, x):
        return x + self.drop_path(self.fc2(self.act(self.fc1(x))))


def prediction_head(
    channels: int, hidden: int, class_num: int, drop_rate: float, form: Form, context: LayerContext
) -> nn.SequentialCell:
    """(B, C, 1, 1) -> (B, class_num, 1, 1) over one hidden layer."""
    cells = [
        conv(channels, hidden, bias=True, normed=True, context=context),
        *norm_activation(hidden, form.activation, context, biased=True),
        dropout(drop_rate),
        conv(hidden, class_num, bias=True, context=context),
    ]
    return chain(cells, context)
