"""Names in public ResNeXt checkpoints -> ours.

PyTorch's and the common model library's differ in the leaves of the norms only. The older MindSpore zoo's lie below
`backbone.` and `head.`, and on Ascend each grouped convolution is one small convolution a group.
"""

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
