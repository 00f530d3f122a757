"""Names in public DGMN2 checkpoints -> ours: only the leaves of the norms differ."""

NAMES = {"head": "head"}
