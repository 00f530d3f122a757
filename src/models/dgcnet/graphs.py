"""The two graph convolutions of DGCNet: over positions of the map, and over groups of channels.

Zhang, Li, Arnab, Yang, Tong, Torr, "Dual Graph Convolutional Network for Semantic Segmentation", BMVC 2019, section 3.
"""

from mindspore import nn, ops

from ..layers import LayerContext, batch_norm, bilinear_resize, chain, conv, conv_norm


def flattened(x):
    """(B, C, H, W) -> (B, C, N), N = H W."""
    return x.reshape((-1, x.shape[1], x.shape[2] * x.shape[3]))


def unflattened(nodes, height, width):
    """(B, C, N) -> (B, C, height, width). Explicit shapes with a free batch, here and above, export to ONNX."""
    return nodes.reshape((-1, nodes.shape[1], height, width))


class SpatialGCN(nn.Cell):
    """The graph of the positions of a small map: every position hears of all others."""

    def __init__(self, channels: int, context: LayerContext):
        super().__init__()
        half = channels // 2
        self.node_k = conv(channels, half, bias=True, context=context)
        self.node_v = conv(channels, half, bias=True, context=context)
        self.node_q = conv(channels, half, bias=True, context=context)
        self.conv_wg = conv(half, half, bias=False, context=context)
        self.bn_wg = batch_norm(half, context)
        self.out = conv_norm(half, channels, bias=True, context=context)

    def construct(self, x):
        """(B, C, H, W) -> the same shape; D = C / 2 and n = H W below."""
        k = flattened(self.node_k(x))  # (B, D, n)
        v = flattened(self.node_v(x))
        q = flattened(self.node_q(x))
        affinity = ops.softmax(ops.bmm(q, v.transpose((0, 2, 1))), -1)  # (B, D, D)
        # The product k^T A, (B, n, D), is needed transposed: that is A^T k, (B, D, n).
        y = ops.bmm(affinity.transpose((0, 2, 1)), k)
        y = self.bn_wg(self.conv_wg(unflattened(y, *x.shape[2:])))
        return ops.relu(self.out(y) + x)


class DualGCN(nn.Cell):
    """Both graphs side by side, joined by a 1x1 convolution."""

    def __init__(self, channels: int, ratio: int, context: LayerContext):
        super().__init__()
        half, nodes = channels // 2, channels // ratio
        halvings = [
            layer
            for _ in range(3)
            for layer in (
                conv(channels, channels, 3, stride=2, groups=channels, bias=False, context=context),
                batch_norm(channels, context),
            )
        ]
        self.local = chain(halvings, context)
        self.gcn_local_attention = SpatialGCN(channels, context)
        self.resize = bilinear_resize(context)
        self.phi = conv(channels, half, bias=False, context=context)
        self.bn_phi = batch_norm(half, context)
        self.theta = conv(channels, nodes, bias=False, context=context)
        self.bn_theta = batch_norm(nodes, context)
        self.conv_adj = conv(nodes, nodes, bias=False, context=context)
        self.bn_adj = batch_norm(nodes, context)
        self.conv_wg = conv(half, half, bias=False, context=context)
        self.bn_wg = batch_norm(half, context)
        self.conv3 = conv(half, channels, bias=False, context=context)
        self.bn3 = batch_norm(channels, context)
        self.final = conv_norm(2 * channels, channels, bias=False, context=context)

    def spatial(self, x):
        """Coordinate space: the graph of an eighth of the map's side weighs each position (section 3.1)."""
        gate = self.resize(self.gcn_local_attention(self.local(x)), x.shape[2:])
        return x * gate + x

    def feature(self, x):
        """Feature space: project the positions on C / ratio nodes, convolve that graph, project back (section 3.2)."""
        states = flattened(self.bn_phi(self.phi(x)))  # (B, C / 2, N)
        projection = flattened(self.bn_theta(self.theta(x)))  # (B, C / ratio, N)
        z = ops.bmm(states, projection.transpose((0, 2, 1)))  # (B, C / 2, C / ratio)
        # A 1x1 convolution mixes channels: first the nodes take their place, then the states.
        adjacent = unflattened(z.transpose((0, 2, 1)), z.shape[1], 1)  # (B, C / ratio, C / 2, 1)
        adjacent = self.bn_adj(self.conv_adj(adjacent))
        z = flattened(adjacent).transpose((0, 2, 1)) + z
        z = flattened(self.bn_wg(self.conv_wg(unflattened(z, z.shape[2], 1))))
        y = ops.bmm(z, projection)  # (B, C / 2, N)
        y = self.bn3(self.conv3(unflattened(y, *x.shape[2:])))
        return ops.relu(x + y)

    def construct(self, x):
        """(B, C, H, W) -> the same shape."""
        return self.final(ops.cat((self.spatial(x), self.feature(x)), 1))
