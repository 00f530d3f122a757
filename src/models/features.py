"""A classifier's body as the maps of several resolutions that a detector or a segmentation head starts from."""

from mindspore import nn


class FeatureMaps(nn.Cell):
    """(B, 3, S, S) -> the maps (B, C, H, W) of a pyramid network's stages, the finest first.

    Attributes:
        body: the network itself, under whose names a checkpoint's weights are put; it loses its head.
        channels, strides: of each map; a stride is the pixels of the image a position stands for, along one side.
    """

    def __init__(self, network: nn.Cell):
        """ValueError for a network of one resolution."""
        super().__init__()
        if not hasattr(network, "feature_maps"):
            raise ValueError(f"{type(network).__name__} has one resolution only: take a pyramid network")
        for name in network.HEAD_CELLS:
            delattr(network, name)
        self.body = network
        self.channels: tuple[int, ...] = network.feature_channels
        self.strides: tuple[int, ...] = network.feature_strides

    def construct(self, x):
        return self.body.feature_maps(x)
