"""Names in public DGCNet checkpoints -> ours: the authors' and, below `net.`, the older zoo's are the same."""

NAMES = {
    "head": "head.bottleneck.3",
    "ignored": ((r"fc\.(weight|bias)", "ImageNet's classifier, in whose place the segmentation heads stand"),),
    # Training starts from an ImageNet body.
    "replaceable": ("head.", "dsn."),
}
