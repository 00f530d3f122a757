"""The isotropic and the pyramid ViG networks: sizes, what was published about them, names in public checkpoints."""

from dataclasses import dataclass

from .blocks import Form

AUTHORS = Form(normalize=True, widen=True, interleave=True, bias=True, tanh_gelu=False, pos_deviation=0.0)
# What the MindSpore model zoo trained under the names vig_*_patch16_224.
ZOO = Form(normalize=False, widen=False, interleave=False, bias=False, tanh_gelu=True, pos_deviation=0.02)


@dataclass(frozen=True)
class Variant:
    """Isotropic: channels and num_blocks of the backbone, head_channels of the classifier's hidden layer."""

    channels: int
    num_blocks: int
    form: Form
    head_channels: int = 1024


@dataclass(frozen=True)
class PyramidVariant:
    """channels and num_blocks of each stage; stem_stride: pixels a node of the first stage along one side, 2 or 4."""

    channels: tuple[int, ...]
    num_blocks: tuple[int, ...]
    stem_stride: int = 4
    head_channels: int = 1024
    form: Form = AUTHORS


VARIANTS = {
    "vig_ti": Variant(192, 12, AUTHORS),
    "vig_s": Variant(320, 16, AUTHORS),
    "vig_b": Variant(640, 16, AUTHORS),
    "vig_ti_patch16_224": Variant(192, 12, ZOO),
    "vig_s_patch16_224": Variant(320, 16, ZOO),
    "vig_b_patch16_224": Variant(640, 16, ZOO),
    "vig_nano": Variant(64, 4, AUTHORS, head_channels=256),
}

PYRAMIDS = {
    "pvig_ti": PyramidVariant((48, 96, 240, 384), (2, 2, 6, 2)),
    "pvig_s": PyramidVariant((80, 160, 400, 640), (2, 2, 6, 2)),
    "pvig_m": PyramidVariant((96, 192, 384, 768), (2, 2, 16, 2)),
    "pvig_b": PyramidVariant((128, 256, 512, 1024), (2, 2, 18, 2)),
    "pvig_nano": PyramidVariant((32, 64, 128), (1, 1, 2), stem_stride=2, head_channels=256),
}

PAPER = "https://arxiv.org/abs/2206.00272"
HALF = (0.5, 0.5, 0.5)
# The authors' preprocessing; the zoo's names use the common ImageNet one.
AUTHORS_INPUT = {"mean": HALF, "std": HALF, "crop_pct": 0.9, "interpolation": "bicubic", "antialias": True}
ZOO_INPUT = {"crop_pct": 224 / 256, "interpolation": "bicubic"}

CARDS = {
    "vig_ti": {
        "title": "ViG-Ti",
        "params_m": 7.185,
        "flops_g": 1.3,
        "top1": 73.9,
        "source": "authors",
        **AUTHORS_INPUT,
    },
    "vig_s": {
        "title": "ViG-S",
        "params_m": 22.748,
        "flops_g": 4.5,
        "top1": 80.4,
        "source": "authors",
        **AUTHORS_INPUT,
    },
    "vig_b": {
        "title": "ViG-B",
        "params_m": 86.842,
        "flops_g": 17.7,
        "top1": 82.3,
        "source": "authors",
        **AUTHORS_INPUT,
    },
    "vig_ti_patch16_224": {"title": "ViG-Ti (MindSpore zoo)", "params_m": 7.168, "flops_g": 1.301, **ZOO_INPUT},
    "vig_s_patch16_224": {
        "title": "ViG-S (MindSpore zoo)",
        "params_m": 22.711,
        "flops_g": 4.517,
        "top1": 80.4,
        "top5": 95.2,
        "source": "zoo",
        **ZOO_INPUT,
    },
    "vig_b_patch16_224": {"title": "ViG-B (MindSpore zoo)", "params_m": 86.768, "flops_g": 17.643, **ZOO_INPUT},
    "vig_nano": {
        "title": "ViG, 64 channels and 4 blocks, for small images",
        "image_size": 32,
        "params_m": 0.289,
        "flops_g": 0.018,
        **AUTHORS_INPUT,
    },
    "pvig_ti": {
        "title": "Pyramid ViG-Ti",
        "params_m": 10.714,
        "flops_g": 1.7,
        "top1": 78.5,
        "source": "authors",
        **AUTHORS_INPUT,
    },
    "pvig_s": {
        "title": "Pyramid ViG-S",
        "params_m": 27.252,
        "flops_g": 4.6,
        "top1": 82.1,
        "source": "authors",
        **AUTHORS_INPUT,
    },
    "pvig_m": {
        "title": "Pyramid ViG-M",
        "params_m": 49.526,
        "flops_g": 8.9,
        "top1": 83.1,
        "source": "authors",
        **AUTHORS_INPUT,
    },
    "pvig_b": {
        "title": "Pyramid ViG-B",
        "params_m": 92.98,
        "flops_g": 16.8,
        "top1": 83.7,
        "source": "authors",
        **AUTHORS_INPUT,
    },
    "pvig_nano": {
        "title": "Pyramid ViG, three stages of 32, 64 and 128 channels, for small images",
        "image_size": 32,
        "params_m": 0.616,
        "flops_g": 0.019,
        **AUTHORS_INPUT,
    },
}

# Names in public ViG checkpoints -> ours. The authors' differ in the leaves of the norms only.
NAMES = {
    "head": "prediction.4",
    # The older MindSpore zoo's `vig_*_patch16_224`.
    "renamed": (
        *((rf"patch_embed\.conv{n + 1}\.0\.(.*)", rf"stem.convs.{3 * n}.\1") for n in range(5)),
        *((rf"patch_embed\.conv{n + 1}\.1\.(.*)", rf"stem.convs.{3 * n + 1}.\1") for n in range(5)),
        (r"blocks\.(\d+)\.grapher\.graph_conv\.0\.nn\.(.*)", r"backbone.\1.0.graph_conv.gconv.nn.0.\2"),
        (r"blocks\.(\d+)\.grapher\.graph_conv\.1\.(.*)", r"backbone.\1.0.graph_conv.gconv.nn.1.\2"),
        (r"blocks\.(\d+)\.grapher\.(.*)", r"backbone.\1.0.\2"),
        (r"blocks\.(\d+)\.mlp\.(.*)", r"backbone.\1.1.\2"),
        (r"head\.([01])\.(.*)", r"prediction.\1.\2"),
        (r"head\.3\.(.*)", r"prediction.4.\1"),
    ),
}
