"""Marks: properties of a key besides its legal values, written into its type in src/config/schema.py."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Mark:
    """A property that a key has or has not."""

    meaning: str


@dataclass(frozen=True)
class OnlyTasks:
    """The key is read by these tasks; it has no effect in the others."""

    names: frozenset[str]


@dataclass(frozen=True)
class OnlyCommands:
    """The key is read by these commands; it has no effect in the others."""

    names: frozenset[str]


FLAG = Mark("stands on the command line without a value")
RUN_ONLY = Mark("speaks of one run: what the checkpoint's configuration says of it is not taken over")
FREE_ON_RESUME = Mark("may differ in a resumed run, which trains the same weights all the same")
CLOUD = Mark("has an effect in a cloud job only")


def only_tasks(*names: str) -> OnlyTasks:
    """Tasks by name, as `TASKS` in src/tasks/create.py has them."""
    return OnlyTasks(frozenset(names))


def only_commands(*names: str) -> OnlyCommands:
    """Commands by the names of their entry points: train, eval, export, predict, convert."""
    return OnlyCommands(frozenset(names))


def marks_of(hint: Any) -> tuple[Any, ...]:
    """The marks (and checks) of an annotated type."""
    return getattr(hint, "__metadata__", ())
