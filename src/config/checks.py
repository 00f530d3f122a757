"""Checks and conversion of values from a file or the command line to typed values."""

from __future__ import annotations

import os
import re
import types
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Union, get_args, get_origin

from src.config.marks import PATH, marks_of

TRUE_WORDS = {"1", "true", "yes", "on"}
FALSE_WORDS = {"0", "false", "no", "off"}
NULL_WORDS = {"null", "none", "~"}
MAX_INTEGER = 2**53  # exact as a float
MAX_NAME, MAX_PATH = 255, 4000  # bytes of a file's name, characters of a path
MAX_SHOWN = 60  # characters of a value in a message
TYPE_NAMES = {int: "a whole number", float: "a number", bool: "0 or 1", str: "text"}


@dataclass(frozen=True)
class Check:
    """A rule for a value: `accept` returns the value in its canonical form or raises ValueError."""

    accept: Callable[[Any], Any]


def at_least(minimum: float) -> Check:
    """value >= minimum"""
    return _range_check(lambda value: value >= minimum, f"at least {minimum:g}")


def positive() -> Check:
    """value > 0"""
    return _range_check(lambda value: value > 0, "greater than 0")


def between(low: float, high: float) -> Check:
    """low <= value <= high"""
    return _range_check(lambda value: low <= value <= high, f"between {low:g} and {high:g}")


def share_below_one() -> Check:
    """0 <= value < 1: a drop rate must leave something."""
    return _range_check(lambda value: 0 <= value < 1, "at least 0 and below 1")


def above_zero_to_one() -> Check:
    """0 < value <= 1"""
    return _range_check(lambda value: 0 < value <= 1, "above 0 and at most 1")


def one_of(*choices: Any) -> Check:
    """One of the choices; text is compared without regard to case and returned in the spelling of the choice."""
    spelling = {str(choice).lower(): choice for choice in choices}

    def accept(value: Any) -> Any:
        if str(value).lower() not in spelling:
            raise ValueError(f"must be one of {', '.join(map(str, choices))}, not {as_written(value)}")
        return spelling[str(value).lower()]

    return Check(accept)


def num_values(count: int) -> Check:
    """A list of `count` values."""

    def accept(values: list) -> list:
        if len(values) != count:
            raise ValueError(f"must be a list of {count} values, not {values}")
        return values

    return Check(accept)


def all_positive() -> Check:
    """A list of at least one value, each > 0."""

    def accept(values: list) -> list:
        if not values or min(values) <= 0:
            raise ValueError(f"must be a list of values greater than 0, not {values}")
        return values

    return Check(accept)


def convert(value: Any, hint: Any) -> Any:
    """`value` (a YAML value or text of the command line) as the annotated type `hint`; ValueError if it is invalid."""
    checks: tuple[Check, ...] = ()
    is_path = PATH in marks_of(hint)
    if get_origin(hint) is Annotated:
        hint, *extras = get_args(hint)
        checks = tuple(extra for extra in extras if isinstance(extra, Check))
    if _is_optional(hint):
        if value is None or str(value).lower() in NULL_WORDS:
            return None
        hint = next(choice for choice in get_args(hint) if choice is not type(None))
    value = _convert_plain(value, hint)
    if is_path:
        value = path_text(value)
    for check in checks:
        value = check.accept(value)
    return value


def _range_check(holds: Callable[[Any], bool], description: str) -> Check:
    def accept(value: Any) -> Any:
        if not holds(value):
            raise ValueError(f"must be {description}, not {value:g}")
        return value

    return Check(accept)


def _is_optional(hint: Any) -> bool:
    return get_origin(hint) in (Union, types.UnionType) and type(None) in get_args(hint)


def _convert_plain(value: Any, hint: Any) -> Any:
    if get_origin(hint) is list:
        items = value.replace("[", "").replace("]", "").split(",") if isinstance(value, str) else value
        items = items if isinstance(items, (list, tuple)) else [items]
        return [_convert_plain(item, get_args(hint)[0]) for item in items if str(item).strip()]
    if value is None and hint is str:  # `pretrained:` without a value
        return ""
    if isinstance(value, (list, dict)) or value is None:
        raise ValueError(f"must be {TYPE_NAMES[hint]}, not {as_written(value)}")
    try:
        return _SCALARS[hint](value)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"must be {TYPE_NAMES[hint]}, not {as_written(repr(str(value)))}") from None


def path_text(paths: str) -> str:
    """Paths, separated by commas or line ends, with the home folder in place of a leading ~.

    The shell replaces it in `--key ~/x` only, not in `--key=~/x`.

    None and null are no path. ValueError for what no file system takes.
    """
    if paths.lower() in NULL_WORDS:
        return ""
    parts = re.split("([,\n])", paths)
    parts = [os.path.expanduser(path) if path.startswith("~/") else path for path in parts]
    for path in parts:
        if "\0" in path or any(len(os.fsencode(name)) > MAX_NAME for name in path.split("/")) or len(path) > MAX_PATH:
            raise ValueError(f"is no path, a name in it is too long or has a zero byte: {as_written(path)}")
    return "".join(parts)


def as_written(value: Any) -> str:
    """A value for a message: a list as in YAML, a long text cut."""
    text = f"[{', '.join(map(str, value))}]" if isinstance(value, list) else str(value)
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}..."


def _to_bool(value: Any) -> bool:
    word = str(value).lower()
    if word not in TRUE_WORDS | FALSE_WORDS:
        raise ValueError
    return word in TRUE_WORDS


def _to_int(value: Any) -> int:
    number = _to_float(value)
    if number != int(number) or abs(number) >= MAX_INTEGER:
        raise ValueError
    return int(number)


def _to_float(value: Any) -> float:
    """A finite number; also from text, since YAML 1.1 reads 1e-5 as text."""
    if isinstance(value, bool):
        raise ValueError
    number = float(value)
    if number != number or number in (float("inf"), float("-inf")):
        raise ValueError
    return number


_SCALARS: dict[type, Callable[[Any], Any]] = {bool: _to_bool, int: _to_int, float: _to_float, str: str}
