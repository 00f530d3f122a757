"""The errors that end a command with one line instead of a traceback, and the words of messages that list names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from difflib import SequenceMatcher, get_close_matches


class UserError(Exception):
    """A mistake of the user: one line that names the thing, where it stands and the remedy. Ends with exit code 2."""


class Standstill(Exception):
    """Something outside the program does not answer: one line that names it. Ends with exit code 1.

    A thread may still wait for it, so the process ends without waiting for its threads.
    """


@contextmanager
def as_user_error(what: str = "", remedy: str = "") -> Iterator[None]:
    """A ValueError inside is the user's mistake: `what: <the error>: remedy`.

    What is built from settings (a schedule, a network) raises ValueError and does not know the keys; the caller does.
    """
    try:
        yield
    except ValueError as error:
        raise UserError(": ".join(part for part in (what, str(error), remedy) if part)) from None


def unknown(kind: str, name: str, known: Iterable[str]) -> ValueError:
    """The error for a name that is none of a few known ones, which it lists, the nearest first."""
    nearest = sorted(known, key=lambda word: -SequenceMatcher(None, name, word).ratio())
    return ValueError(f"unknown {kind} '{name}': choose one of {', '.join(nearest)}")


def did_you_mean(name: str, known: Iterable[str], otherwise: str) -> str:
    """The end of a message about a name that is none of many: the nearest one, or `otherwise` where none is near."""
    near = get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f"did you mean {near[0]}?" if near else otherwise


def few_names(names: Sequence[str], most: int = 4, separator: str = ", ") -> str:
    """The first `most` names, and the number of the others."""
    others = len(names) - most
    return separator.join(names[:most]) + (f" (+{others} more)" if others > 0 else "")
