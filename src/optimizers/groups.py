"""What differs from parameter to parameter: weight decay and, in fine-tuning, the learning rate."""

import re
from collections.abc import Iterable, Sequence

from mindspore import Parameter

# The blocks of the families, as their parameters are named: ViG `backbone.3.`, ResNeXt `layer2.0.`,
# HLG `block1_0.`, DGMN2 `block1.0.`.
_BLOCK = re.compile(r"(?:backbone|layer\d+|block\d+|blocks)[._]\d+(?=\.)")


def parameter_groups(
    parameters: Iterable[Parameter], *, weight_decay: float, no_weight_decay_filter: str = ""
) -> tuple[dict, dict]:
    """Two groups in the framework's form `{"params": [...], "weight_decay": x}`: the decayed, the exempt.

    A parameter is exempt when its name contains one of the comma-separated substrings of
    `no_weight_decay_filter`: with "beta,bias" a normalisation's gamma IS decayed. Either group may be empty.
    """
    substrings = [part.strip() for part in no_weight_decay_filter.split(",") if part.strip()]
    decayed, exempt = [], []
    for parameter in parameters:
        is_exempt = any(substring in parameter.name for substring in substrings)
        (exempt if is_exempt else decayed).append(parameter)
    return {"params": decayed, "weight_decay": weight_decay}, {"params": exempt, "weight_decay": 0.0}


def layer_depths(names: Sequence[str]) -> list[int]:
    """Depth of each parameter, given by name in the network's order: 0 the stem, 1 the first block, ..., last the head.

    What stands between two blocks (a stage's patch embedding) is as deep as the block behind it.

    Raises:
        ValueError: no name tells a block.
    """
    blocks = [match.group() if (match := _BLOCK.match(name)) else None for name in names]
    order = list(dict.fromkeys(block for block in blocks if block))
    if not order:
        raise ValueError(f"layer_decay needs a network of blocks, these parameters have none: {', '.join(names[:3])}")
    stem_end = blocks.index(order[0])
    depths, following = [], len(order) + 1
    for block in reversed(blocks):
        following = order.index(block) + 1 if block else following
        depths.append(following)
    depths.reverse()
    return [0] * stem_end + depths[stem_end:]


def layer_scales(names: Sequence[str], decay: float) -> list[float]:
    """Factor of the learning rate for each parameter: 1 at the head, `decay` times less for each layer below.

    Clark et al., ELECTRA, arXiv 2003.10555, and Bao et al., BEiT, arXiv 2106.08254, fine-tune so. ValueError: see
    `layer_depths`.
    """
    if decay == 1.0:
        return [1.0] * len(names)
    depths = layer_depths(names)
    return [decay ** (max(depths) - depth) for depth in depths]
