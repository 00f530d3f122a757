"""Marks: properties of a key besides its legal values, attached to its type in src/config/schema.py."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Mark:
    """A yes-or-no property of a key."""

    meaning: str


@dataclass(frozen=True)
class OnlyTasks:
    """Only these tasks read the key; it has no effect on the others."""

    names: frozenset[str]


@dataclass(frozen=True)
class OnlyCommands:
    """Only these commands read the key; it has no effect in the others."""

    names: frozenset[str]


PATH = Mark("a path, or several with commas: a leading ~ is the home folder, None is no path")
FLAG = Mark("may be given on the command line without a value")
MANY = Mark("may be given several values on the command line, one after the other")
RUN_ONLY = Mark("concerns one run only: its value in a checkpoint's configuration is not inherited")
FREE_ON_RESUME = Mark("may differ in a resumed run without changing its weights")
CLOUD = Mark("has an effect in a cloud job only")


def only_tasks(*names: str) -> OnlyTasks:
    """Mark for tasks, by their names in `TASKS` (src/tasks/create.py)."""
    return OnlyTasks(frozenset(names))


def only_commands(*names: str) -> OnlyCommands:
    """Mark for commands, by the names of their entry points: train, eval, export, predict, convert."""
    return OnlyCommands(frozenset(names))


def marks_of(hint: Any) -> tuple[Any, ...]:
    """The marks (and checks) of an annotated type."""
    return getattr(hint, "__metadata__", ())
