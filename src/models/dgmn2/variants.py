"""The DGMN2 networks: their sizes, what was published about them, and the names in public checkpoints."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Variant:
    """num_blocks, channels and mlp_ratio (hidden width / channels) of the four stages.

    head_channels: width of an attention head in all stages; stem_stride: pixels a node of the first, 2 or 4.
    """

    num_blocks: tuple[int, int, int, int]
    channels: tuple[int, int, int, int] = (64, 128, 320, 512)
    mlp_ratio: tuple[int, int, int, int] = (8, 8, 4, 4)
    head_channels: int = 64
    stem_stride: int = 4

    @property
    def size_step(self) -> int:
        """Image sizes are multiples of this many pixels, those of a node of the last stage."""
        return 8 * self.stem_stride


VARIANTS = {
    "dgmn2_tiny": Variant((2, 2, 2, 2)),
    "dgmn2_small": Variant((3, 4, 6, 3)),
    "dgmn2_medium": Variant((3, 4, 18, 3)),
    "dgmn2_large": Variant((3, 8, 27, 3)),
    "dgmn2_nano": Variant((1, 1, 1, 1), (32, 64, 96, 128), (4, 4, 4, 4), head_channels=32, stem_stride=2),
}

PAPER = "https://arxiv.org/abs/1908.06955"
# The authors' evaluation: resize 256, crop 224, bicubic.
AUTHORS_INPUT = {"crop_pct": 0.875, "interpolation": "bicubic", "antialias": True}

CARDS = {
    "dgmn2_tiny": {
        "title": "DGMN2-Tiny",
        "params_m": 12.101,
        "flops_g": 2.3,
        "top1": 78.7,
        "source": "authors",
        **AUTHORS_INPUT,
    },
    "dgmn2_small": {
        "title": "DGMN2-Small",
        "params_m": 20.968,
        "flops_g": 4.3,
        "top1": 81.7,
        "source": "authors",
        **AUTHORS_INPUT,
    },
    "dgmn2_medium": {
        "title": "DGMN2-Medium",
        "params_m": 35.812,
        "flops_g": 7.1,
        "top1": 82.5,
        "source": "authors",
        **AUTHORS_INPUT,
    },
    "dgmn2_large": {
        "title": "DGMN2-Large",
        "params_m": 48.287,
        "flops_g": 10.4,
        "top1": 83.3,
        "source": "authors",
        **AUTHORS_INPUT,
    },
    "dgmn2_nano": {
        "title": "DGMN2, four blocks of small widths, for small images",
        "image_size": 32,
        "params_m": 0.573,
        "flops_g": 0.017,
    },
}

# Names in public DGMN2 checkpoints -> ours: only the leaves of the norms differ.
NAMES = {"head": "head"}
