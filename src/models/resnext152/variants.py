"""The ResNeXt networks: their sizes, what was published about them, and the names in public checkpoints."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Variant:
    """num_blocks of the four stages, groups (cardinality) and width a group of the first.

    base_channels: of the stem; stem_stride: pixels a position after the stem (4: 7x7 stride 2 and max-pool;
    1: a 3x3 convolution for small images); stem_pool: border of the max-pool, "pad" as in PyTorch or "same".
    """

    num_blocks: tuple[int, int, int, int]
    groups: int
    group_width: int
    base_channels: int = 64
    stem_stride: int = 4
    stem_pool: str = "pad"


VARIANTS = {
    "resnext50_32x4d": Variant((3, 4, 6, 3), 32, 4),
    "resnext101_32x4d": Variant((3, 4, 23, 3), 32, 4),
    "resnext101_64x4d": Variant((3, 4, 23, 3), 64, 4),
    "resnext152_64x4d": Variant((3, 8, 36, 3), 64, 4, stem_pool="same"),
    "resnext_nano": Variant((1, 1, 1, 1), 4, 4, base_channels=16, stem_stride=1),
}

PAPER = "https://arxiv.org/abs/1611.05431"

CARDS = {
    "resnext50_32x4d": {"title": "ResNeXt-50 32x4d", "params_m": 25.029, "flops_g": 4.23},
    "resnext101_32x4d": {"title": "ResNeXt-101 32x4d", "params_m": 44.178, "flops_g": 7.97},
    "resnext101_64x4d": {"title": "ResNeXt-101 64x4d", "params_m": 83.4553, "flops_g": 15.46},
    "resnext152_64x4d": {
        "title": "ResNeXt-152 64x4d",
        "params_m": 114.972,
        "flops_g": 22.94,
        "top1": 80.08,
        "top5": 94.71,
        "source": "zoo",
    },
    "resnext_nano": {
        "title": "ResNeXt of four blocks, for small images",
        "image_size": 32,
        "params_m": 0.363,
        "flops_g": 0.021,
    },
}

# Names in public ResNeXt checkpoints -> ours.
#
# PyTorch's and the common model library's differ in the leaves of the norms only. The older MindSpore zoo's lie below
# `backbone.` and `head.`, and on Ascend each grouped convolution is one small convolution a group.
NAMES = {
    "head": "fc",
    "renamed": (
        (r"backbone\.(conv|bn)\.(.*)", r"\g<1>1.\2"),  # the stem
        (r"(?:backbone|head)\.(.*)", r"\1"),
        (r"(.*)\.down_sample\.conv\.(.*)", r"\1.downsample.0.\2"),
        (r"(.*)\.down_sample\.bn\.(.*)", r"\1.downsample.1.\2"),
        (r"(.*)\.down_sample\.([01])\.(.*)", r"\1.downsample.\2.\3"),
        (r"classifier\.(.*)", r"fc.\1"),
    ),
    "joined": r"(.*\.conv2)\.convs\.(\d+)\.(weight)",
    # The border of the stem's max-pool is in no tensor; each framework's networks have their own.
    "options": (
        ("bn1.running_mean", "stem_pool", "pad"),
        ("backbone.bn.moving_mean", "stem_pool", "same"),
    ),
}
