"""Parts of a network that keep their weights."""

from __future__ import annotations

from mindspore import nn
from mindspore.nn.layer.normalization import _BatchNorm

from src.config import UserError


def freeze(network: nn.Cell, parts: str) -> str:
    """Take the named parts out of training: their weights, and the statistics of their BatchNorms, stay as they are.

    Args:
        network: before its trainable parameters are asked for.
        parts: names as parameters begin with, by commas: `stem,backbone.0` (which is not backbone.01).

    Returns:
        What was frozen, for the log; "" for no parts.

    Raises:
        UserError: a part that the network does not have, or nothing is left to train.
    """
    prefixes = [part.strip() for part in parts.split(",") if part.strip()]
    if not prefixes:
        return ""
    parameters = network.trainable_params()
    names = [parameter.name for parameter in parameters]
    for prefix in prefixes:
        if not any(_is_below(name, prefix) for name in names):
            raise UserError(f"freeze: the network has no part {prefix}: it has {', '.join(_parts_near(prefix, names))}")
    frozen = [parameter for parameter in parameters if any(_is_below(parameter.name, prefix) for prefix in prefixes)]
    if len(frozen) == len(parameters):
        raise UserError(f"freeze: {parts} is the whole network, nothing is left to train: leave a part out")
    for parameter in frozen:
        parameter.requires_grad = False
    for name, cell in network.cells_and_names():
        if isinstance(cell, _BatchNorm) and any(_is_below(name, prefix) for prefix in prefixes):
            cell.use_batch_statistics = False
    share = sum(parameter.size for parameter in frozen) / sum(parameter.size for parameter in parameters)
    return f"frozen: {', '.join(prefixes)} ({len(frozen)} of {len(parameters)} tensors, {share:.0%} of the weights)"


def _is_below(name: str, prefix: str) -> bool:
    return name == prefix or name.startswith(f"{prefix}.")


def _parts_near(prefix: str, names: list[str]) -> list[str]:
    """What stands in the network where `prefix` was looked for: the parts of its parent, else the first level."""
    parent = prefix.rpartition(".")[0]
    beside = [name for name in names if parent and _is_below(name, parent)]
    depth = len(parent.split(".")) + 1 if beside else 1
    return list(dict.fromkeys(".".join(name.split(".")[:depth]) for name in beside or names))
