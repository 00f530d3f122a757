"""Freezing of network parts (the key `freeze`)."""

from __future__ import annotations

from mindspore import nn
from mindspore.nn.layer.normalization import _BatchNorm

from src.config import UserError


def freeze(network: nn.Cell, parts: str) -> str:
    """Exclude parts from training: their weights and BatchNorm statistics no longer change.

    Args:
        network: must be frozen before its trainable parameters are handed to an optimizer.
        parts: comma-separated prefixes of parameter names, `stem,backbone.0`; whole components match, not backbone.01.

    Returns:
        Line for the log; "" for no parts.

    Raises:
        UserError: the network has no such part, or nothing is left to train.
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
    """Existing parts for the error message: the siblings of `prefix`, else the first level."""
    parent = prefix.rpartition(".")[0]
    beside = [name for name in names if parent and _is_below(name, parent)]
    depth = len(parent.split(".")) + 1 if beside else 1
    return list(dict.fromkeys(".".join(name.split(".")[:depth]) for name in beside or names))
