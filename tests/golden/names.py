"""Our parameter names -> the reference implementations'."""

import re

NORM_LEAVES = {"gamma": "weight", "beta": "bias", "moving_mean": "running_mean", "moving_variance": "running_var"}


def torch_name(name: str) -> str:
    """ViG (authors) and ResNeXt: only the leaves of the norms differ."""
    stem, _, leaf = name.rpartition(".")
    return f"{stem}.{NORM_LEAVES[leaf]}" if leaf in NORM_LEAVES else name


def vig_zoo_name(name: str) -> str:
    """ViG as the MindSpore zoo names it."""
    name = re.sub(r"^stem\.convs\.(\d+)", lambda m: f"patch_embed.conv{int(m[1]) // 3 + 1}.{int(m[1]) % 3}", name)
    name = re.sub(r"^backbone\.(\d+)\.0\.", r"blocks.\1.grapher.", name)
    name = re.sub(r"^backbone\.(\d+)\.1\.", r"blocks.\1.mlp.", name)
    name = name.replace("graph_conv.gconv.nn.0.", "graph_conv.0.nn.").replace("graph_conv.gconv.nn.1.", "graph_conv.1.")
    return re.sub(r"^prediction\.(\d)", lambda m: f"head.{'01.23'[int(m[1])]}", name)
