"""Meta data of a checkpoint, checked: the checksum covers the tensors only, and a checkpoint may come from anywhere."""

from __future__ import annotations

import json
from typing import Any

from src.config.checks import convert
from src.config.schema import KEY_TYPES

MAX_CHARACTERS = 50_000_000
REQUIRED = {"num_tensors": int, "sha256": str, "config": dict}
TRAINING = {"epoch": int, "batch": int, "step": int, "steps_per_epoch": int, "environment": dict}
OPTIONAL = {
    "without_improvement": int,
    "best": float | int | None,
    "losses": list,
    "metrics": dict,
    "class_names": list,
    "preprocessing": dict,
}


class NewerFormat(Exception):
    """The checkpoint was written by a newer version; the message says which format it has."""


def checked_meta(text: Any, known_format: int) -> dict[str, Any]:
    """The meta data of a checkpoint; its configuration has the types of the schema.

    Raises:
        NewerFormat: see there.
        ValueError: it is not what `save_checkpoint` writes.
    """
    meta = _parsed(text)
    _check_types(meta, {"format": int})
    if meta["format"] > known_format:
        raise NewerFormat(f"has format {meta['format']}, but this version reads format {known_format}")
    _check_types(meta, REQUIRED)
    if "epoch" in meta:
        _check_types(meta, TRAINING)
    _check_types(meta, {key: kind for key, kind in OPTIONAL.items() if key in meta})
    if not all(isinstance(name, str) for name in meta.get("class_names", ())):
        raise ValueError("meta data: class_names is not a list of names")
    if not _is_sum_and_number(meta.get("losses", [0.0, 0])):
        raise ValueError("meta data: losses is not a sum and a number")
    return meta | {"config": _checked_config(meta["config"])}


def _parsed(text: Any) -> dict[str, Any]:
    if not isinstance(text, str) or len(text) > MAX_CHARACTERS:
        raise ValueError("meta data: no text of a possible length")
    try:
        meta = json.loads(text)
    except RecursionError:
        raise ValueError("meta data: nested too deeply") from None
    if not isinstance(meta, dict):
        raise ValueError("meta data: no table")
    return meta


def _check_types(meta: dict[str, Any], kinds: dict[str, Any]) -> None:
    for key, kind in kinds.items():
        value = meta.get(key)
        # True is an int; a counter is not negative.
        if key in meta and isinstance(value, kind) and not isinstance(value, bool) and (kind is not int or value >= 0):
            continue
        raise ValueError(f"meta data: {key} is {'not what it should be' if key in meta else 'missing'}")


def _is_sum_and_number(losses: list) -> bool:
    return len(losses) == 2 and isinstance(losses[0], float | int) and type(losses[1]) is int and losses[1] >= 0


def _checked_config(config: dict[str, Any]) -> dict[str, Any]:
    for key in ("backbone", "class_num"):
        if key not in config:
            raise ValueError(f"meta data: its configuration has no {key}")
    checked = dict(config)
    for key, value in config.items():
        try:
            checked[key] = convert(value, KEY_TYPES[key]) if key in KEY_TYPES else value
        except ValueError as error:
            raise ValueError(f"meta data: {key} {error}") from None
    return checked
