"""Names in public ViG checkpoints -> ours. The authors' differ in the leaves of the norms only."""

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
