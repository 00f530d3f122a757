"""Names in public HLG checkpoints -> ours. The older MindSpore zoo's are ours, and more."""

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
