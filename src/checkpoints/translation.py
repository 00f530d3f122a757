"""Translation of tensor names in public checkpoints: a name of this zoo for each tensor, or the reason to ignore it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

# Prefixes that wrappers in training scripts add to all names of a network.
_WRAPPERS = re.compile(r"\A(?:(?:module|network|_backbone|net|model)\.)+")
_COMPILED = "_orig_mod."  # of each cell that torch.compile has wrapped
_IGNORED = (
    (r"(?:.*\.)?num_batches_tracked", "PyTorch's batch counter, which the running statistics do not need"),
    (r"(?:adam_[mv]|moments?[12]?|accum|stat|velocity)\..*", "optimizer state of the old training"),
    (
        r"(?:.*\.)?(?:global_step|learning_rate|momentum|beta[12]_power|epoch_num|step_num|loss_scale|scale_sense|"
        r"current_iterator_step|last_overflow_iterator_step)",
        "counters of the old training",
    ),
)
# Leaves of PyTorch's norms and ours.
_LEAVES = {"weight": "gamma", "bias": "beta", "running_mean": "moving_mean", "running_var": "moving_variance"}


class NamingRules(Protocol):
    """Naming rules of a network family (`models.PublicNames`). Patterns match whole names.

    Attributes:
        renamed: (pattern, replacement) pairs, all applied in this order.
        ignored: (pattern, reason) pairs.
        joined: pattern of the parts of one tensor: groups 1 and 3 give its name, group 2 the number of the part.
        options: (name, option, value): an option of the network, implied by the presence of a name.
    """

    renamed: Sequence[tuple[str, str]]
    ignored: Sequence[tuple[str, str]]
    joined: str | None
    options: Sequence[tuple[str, str, str]]


@dataclass(frozen=True)
class Translation:
    """Translated content of a file.

    Attributes:
        tensors: by names of this zoo; the last part of a norm's names may still be PyTorch's, see `fit`.
        ignored: {reason: names in the file}.
        options: {option of the network: value}.
    """

    tensors: dict[str, np.ndarray] = field(default_factory=dict)
    ignored: dict[str, list[str]] = field(default_factory=dict)
    options: dict[str, str] = field(default_factory=dict)


def translate(tensors: Mapping[str, np.ndarray], names: NamingRules) -> Translation:
    """Apply a family's rules; names without a rule are kept. ValueError if two tensors get the same name."""
    result = Translation()
    parts: dict[str, dict[int, np.ndarray]] = {}
    for written, value in tensors.items():
        name = _WRAPPERS.sub("", written.replace(_COMPILED, ""))
        reason = next((why for pattern, why in (*_IGNORED, *names.ignored) if re.fullmatch(pattern, name)), None)
        if reason:
            result.ignored.setdefault(reason, []).append(written)
            continue
        result.options.update({option: setting for marker, option, setting in names.options if marker == name})
        name = _renamed(name, names)
        part = re.fullmatch(names.joined, name) if names.joined else None
        if part:
            parts.setdefault(f"{part[1]}.{part[3]}", {})[int(part[2])] = value
        elif name in result.tensors:
            raise ValueError(f"two of its tensors translate to {name}, one of them {written}")
        else:
            result.tensors[name] = value
    joined = {name: np.concatenate([found[number] for number in sorted(found)]) for name, found in parts.items()}
    result.tensors.update(joined)
    return result


def _renamed(name: str, names: NamingRules) -> str:
    for pattern, replacement in names.renamed:
        name = re.sub(rf"\A{pattern}\Z", replacement, name)
    return name


def fit(tensors: Mapping[str, np.ndarray], shapes: Mapping[str, tuple[int, ...]]) -> dict[str, np.ndarray]:
    """Tensors with this zoo's names of norm parameters and its shapes, which may differ in axes of length 1.

    Args:
        tensors: by name, from `Translation.tensors`.
        shapes: {name: shape} of the network.
    """
    fitted = {}
    for name, value in tensors.items():
        stem, _, leaf = name.rpartition(".")
        ours = f"{stem}.{_LEAVES.get(leaf)}"
        name = ours if name not in shapes and ours in shapes else name
        shape = shapes.get(name, value.shape)
        fitted[name] = value.reshape(shape) if _long_axes(shape) == _long_axes(value.shape) else value
    return fitted


def _long_axes(shape: tuple[int, ...]) -> list[int]:
    return [length for length in shape if length != 1]
