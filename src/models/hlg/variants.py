"""The HLG networks: their sizes, what was published about them, and the names in public checkpoints."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Variant:
    """channels, heads and mlp_ratio (hidden width / channels) of the four stages.

    window: side of the square windows of the first three stages, in tokens; stem_stride: pixels a token of the first.
    """

    channels: tuple[int, int, int, int]
    heads: tuple[int, int, int, int]
    mlp_ratio: tuple[int, int, int, int] = (8, 8, 4, 4)
    window: int = 7
    stem_stride: int = 4

    @property
    def size_step(self) -> int:
        """Image sizes are multiples of this many pixels: then every stage's map is a number of whole windows."""
        return 8 * self.stem_stride * self.window


VARIANTS = {
    "hlg_mobile": Variant((32, 64, 192, 384), (2, 4, 8, 16)),
    "hlg_nano": Variant((16, 32, 64, 96), (1, 2, 4, 6), mlp_ratio=(4, 4, 4, 4), window=2, stem_stride=2),
}

PAPER = "https://arxiv.org/abs/2207.09339"

CARDS = {
    "hlg_mobile": {
        "title": "HLG-Mobile",
        "params_m": 6.147,
        "flops_g": 0.987,
        "top1": 75.6,
        "source": "zoo",
    },
    "hlg_nano": {
        "title": "HLG of small widths and windows, for small images",
        "image_size": 32,
        "params_m": 0.461,
        "flops_g": 0.013,
    },
}

# Names in public HLG checkpoints -> ours. The older MindSpore zoo's are ours, and more.
_NEVER_READ = "the seed's modules own it, but no forward pass reads it"

NAMES = {
    "head": "head",
    "renamed": ((r"backbone\.(.*)", r"\1"),),
    "ignored": (
        (r"(backbone\.)?patch_embed1\.(conv|norm)\..*", _NEVER_READ),
        (r"(backbone\.)?patch_embed[234]\.(conv|norm)\d\..*", _NEVER_READ),
        (r"(backbone\.)?block4_\d\.(norm0|spatial_smooth)\..*", _NEVER_READ),
    ),
}
