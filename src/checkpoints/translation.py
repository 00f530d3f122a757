"""Translation of the names in a public checkpoint to this zoo's: a name for every tensor, or why it is left out."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

# What wraps a network in a training script, in front of all its names.
_WRAPPERS = re.compile(r"\A(?:(?:module|network|_backbone|net|model)\.)+")
_IGNORED = (
    (r"(?:.*\.)?num_batches_tracked", "PyTorch's count of batches, which the running statistics do without"),
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
    """What a network family knows of its public names (`models.PublicNames`).

    Patterns match whole names. renamed: (pattern, replacement), all applied in this order; ignored: (pattern, reason);
    joined: tensors that are parts of one, which groups 1 and 3 name and group 2 counts; options: (name, option, value),
    what the presence of a name says about the network.
    """

    renamed: Sequence[tuple[str, str]]
    ignored: Sequence[tuple[str, str]]
    joined: str | None
    options: Sequence[tuple[str, str, str]]


@dataclass(frozen=True)
class Translation:
    """What a file's names mean.

    tensors: by our names, but the leaves of norms may still be PyTorch's; ignored: {reason: names in the file};
    options: {option of the network: value}.
    """

    tensors: dict[str, np.ndarray] = field(default_factory=dict)
    ignored: dict[str, list[str]] = field(default_factory=dict)
    options: dict[str, str] = field(default_factory=dict)


def translate(tensors: Mapping[str, np.ndarray], names: NamingRules) -> Translation:
    """Apply a family's rules; what no rule concerns keeps its name. ValueError where two tensors get one name."""
    result = Translation()
    parts: dict[str, dict[int, np.ndarray]] = {}
    for written, value in tensors.items():
        name = _WRAPPERS.sub("", written)
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
            raise ValueError(f"two of its tensors are {name}, one of them as {written}")
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
    """Our leaves for PyTorch's, and our number of axes: another framework may keep more or fewer of length 1."""
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
