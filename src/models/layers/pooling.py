"""Pooling in forms that export."""

from mindspore import nn, ops

from .context import LayerContext


class PaddedMaxPool(nn.Cell):
    """3x3 max-pool of stride 2 with a border of zeros: for inputs that are never negative (after a ReLU).

    One pixel at the top and left, `after` pixels at the bottom and right. ONNX export has no padded max-pool.
    """

    def __init__(self, after: int):
        super().__init__()
        self.pad = ops.Pad(((0, 0), (0, 0), (1, after), (1, after)))
        self.pool = nn.MaxPool2d(3, 2, pad_mode="valid")

    def construct(self, x):
        return self.pool(self.pad(x))


def max_pool_after_relu(border: str, context: LayerContext) -> nn.Cell:
    """3x3 max-pool of stride 2, (B, C, H, W) -> (B, C, ceil(H / 2), ceil(W / 2)).

    border "pad": one pixel on every side (PyTorch's definition); "same": only where the window needs it, so at an even
    size at the bottom and right. The two differ by a shift of one pixel, so the border belongs to the weights.
    """
    if border == "same":
        return nn.MaxPool2d(3, 2, pad_mode="same")
    if border != "pad":
        raise ValueError(f"stem_pool is {border!r}; choose 'same' or 'pad'")
    if context.exporting:
        return PaddedMaxPool(after=1)
    return nn.MaxPool2d(3, 2, pad_mode="pad", padding=1)


def ceil_max_pool_after_relu(context: LayerContext) -> nn.Cell:
    """3x3 max-pool of stride 2, one pixel around, and a last window that may reach one pixel beyond that border
    (PyTorch's ceil_mode): an even size n becomes n / 2 + 1, an odd one (n + 1) / 2.
    """
    if context.exporting:
        return PaddedMaxPool(after=2)  # an odd size needs 1; the second pixel is then in no window
    return nn.MaxPool2d(3, 2, pad_mode="pad", padding=1, ceil_mode=True)


def global_average(x):
    """(B, C, H, W) -> (B, C)."""
    return x.mean((2, 3))
