"""Errors that end a command with one line instead of a traceback, and helpers for messages that list names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from difflib import SequenceMatcher, get_close_matches
from typing import TypeVar

T = TypeVar("T")


class UserError(Exception):
    """User error: one line with the thing, its place and the remedy. Ends the command with exit code 2."""


class Standstill(Exception):
    """Something outside the program does not respond: one line that names it. Ends the command with exit code 1.

    A thread may still be waiting for it, so the process ends without joining its threads.
    """


class RemoteFault(Exception):
    """A service on the network failed: one line that names the place. Ends the command with exit code 1."""


@contextmanager
def as_user_error(what: str = "", remedy: str = "") -> Iterator[None]:
    """Context that turns a ValueError into a UserError: `what: <the error>: remedy`.

    Objects built from settings (a schedule, a network) raise ValueError without knowing the keys; the caller does.
    """
    try:
        yield
    except ValueError as error:
        raise UserError(": ".join(part for part in (what, str(error), remedy) if part)) from None


def unknown(kind: str, name: str, known: Iterable[str]) -> ValueError:
    """Error for an unknown name among a few known ones, which it lists, the nearest first."""
    return ValueError(f"unknown {kind} '{name}': choose one of {', '.join(nearest_first(name, known))}")


def nearest_first(name: str, known: Iterable[T], word: Callable[[T], str] = str) -> list[T]:
    """The known things, those whose `word` is most like `name` first."""
    return sorted(known, key=lambda each: -SequenceMatcher(None, name, word(each)).ratio())


def did_you_mean(name: str, known: Iterable[str], otherwise: str) -> str:
    """End of a message about an unknown name among many: the nearest one, or `otherwise` if none is near."""
    near = get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f"did you mean {near[0]}?" if near else otherwise


def counted(number: int, noun: str, plural: str = "") -> str:
    """A number with its noun: "1 image", "2 images"; `plural` for nouns that do not simply end in s."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


def few_names(names: Sequence[str], most: int = 4, separator: str = ", ") -> str:
    """The first `most` names and the number of the others: "a, b (+3 more)"."""
    others = len(names) - most
    return separator.join(names[:most]) + (f" (+{others} more)" if others > 0 else "")
