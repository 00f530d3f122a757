"""Which parameters shrink by weight decay and which are exempt."""

from collections.abc import Iterable

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
