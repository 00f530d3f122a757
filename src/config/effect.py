"""Settings without effect in a command or on a task, derived from the marks of the keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from src.config.marks import CLOUD, OnlyCommands, OnlyTasks, marks_of
from src.config.schema import KEY_TYPES, keys_marked


def no_effect_in_command(arguments: Mapping[str, Any], command: str, in_cloud: bool) -> list[str]:
    """One line per key of the command line that the command, or a job outside the cloud, does not read.

    Keys of a recipe are not reported, since a recipe serves several commands.
    """
    lines = [
        f"{key}={value} has no effect in {command}.py"
        for key, value in arguments.items()
        if any(command not in names for names in _names(key, OnlyCommands))
    ]
    cloud = frozenset() if in_cloud else keys_marked(CLOUD)
    return lines + [
        f"{key}={value} has no effect: enable_modelarts is off" for key, value in arguments.items() if key in cloud
    ]


def no_effect_on_task(changed: Mapping[str, Any], task: str) -> list[str]:
    """One line per setting of the user that the task does not read.

    Nothing is reported for a task that no key is marked with.
    """
    if task not in known_tasks():
        return []
    return [
        f"{key}={value} has no effect on {task}"
        for key, value in changed.items()
        if any(task not in names for names in _names(key, OnlyTasks))
    ]


def known_tasks() -> frozenset[str]:
    """The tasks named in the marks of the keys."""
    return frozenset(task for key in KEY_TYPES for names in _names(key, OnlyTasks) for task in names)


def _names(key: str, kind: type) -> list[frozenset[str]]:
    return [mark.names for mark in marks_of(KEY_TYPES[key]) if isinstance(mark, kind)]
