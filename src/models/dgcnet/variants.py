"""The DGCNet networks: their sizes, what was published about them, and the names in public checkpoints."""

from dataclasses import dataclass

EXPANSION = 4  # output channels of a bottleneck over the channels of its 3x3 convolution


@dataclass(frozen=True)
class Variant:
    """num_blocks of the four stages; base_channels of the stem; head_channels of the graphs and the auxiliary head."""

    num_blocks: tuple[int, int, int, int]
    base_channels: int = 64
    head_channels: int = 512

    def stage_channels(self, index: int) -> int:
        """Output channels of stage 0..3."""
        return EXPANSION * self.base_channels * 2**index


VARIANTS = {
    "dgcnet_res101": Variant((3, 4, 23, 3)),
    "dgcnet_res50": Variant((3, 4, 6, 3)),
    "dgcnet_nano": Variant((1, 1, 2, 2), base_channels=8, head_channels=32),
}

PAPER = "https://arxiv.org/abs/1909.06121"

CARDS = {
    "dgcnet_res101": {
        "title": "DGCNet on ResNet-101",
        "task": "segmentation",
        "image_size": 832,
        "params_m": 72.507,
        "flops_g": 767.8,
        "miou": 80.30,
        "source": "zoo",
    },
    "dgcnet_res50": {
        "title": "DGCNet on ResNet-50",
        "task": "segmentation",
        "image_size": 832,
        "params_m": 53.514,
        "flops_g": 559.0,
    },
    "dgcnet_nano": {
        "title": "DGCNet of small widths",
        "task": "segmentation",
        "image_size": 256,
        "params_m": 0.429,
        "flops_g": 0.501,
    },
}

# Names in public DGCNet checkpoints -> ours: the authors' and, below `net.`, the older zoo's are the same.
NAMES = {
    "head": "head.bottleneck.3",
    "ignored": ((r"fc\.(weight|bias)", "ImageNet's classifier, in whose place the segmentation heads stand"),),
    # Training starts from an ImageNet body.
    "replaceable": ("head.", "dsn."),
}
