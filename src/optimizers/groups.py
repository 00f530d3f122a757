"""Per-parameter weight decay and, for fine-tuning, layer-wise learning-rate scale."""

import re
from collections.abc import Iterable, Sequence

from mindspore import Parameter


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


def layer_depths(names: Sequence[str], block: str | None) -> list[int]:
    """Depth of each parameter, given by name in the network's order: 0 the stem, 1 the first block, ..., last the head.

    Parameters between two blocks (a stage's patch embedding) have the depth of the following block.

    Args:
        block: pattern of the start of a name that identifies its block; None: the network has no blocks.

    Raises:
        ValueError: no name matches.
    """
    pattern = re.compile(rf"{block or '(?!)'}(?=\.)")
    blocks = [match.group() if (match := pattern.match(name)) else None for name in names]
    order = list(dict.fromkeys(found for found in blocks if found))
    if not order:
        raise ValueError(
            f"layer_decay needs a network with blocks; none found among the parameters {', '.join(names[:3])}"
        )
    stem_end = blocks.index(order[0])
    depths, following = [], len(order) + 1
    for found in reversed(blocks):
        following = order.index(found) + 1 if found else following
        depths.append(following)
    depths.reverse()
    return [0] * stem_end + depths[stem_end:]


def layer_scales(names: Sequence[str], decay: float, block: str | None) -> list[float]:
    """Factor of the learning rate for each parameter: 1 at the head, `decay` times less for each layer below.

    Used for fine-tuning by Clark et al., ELECTRA, arXiv 2003.10555, and Bao et al., BEiT, arXiv 2106.08254.

    Raises:
        ValueError: see `layer_depths`.
    """
    if decay == 1.0:
        return [1.0] * len(names)
    depths = layer_depths(names, block)
    return [decay ** (max(depths) - depth) for depth in depths]
