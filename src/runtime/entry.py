"""Entry points of the commands: exit codes, help and configuration."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from src.config import RemoteFault, Resolved, Standstill, UserError, config_text, help_text, read_config
from src.runtime.device import prepare_process
from src.runtime.logs import log_to_console
from src.runtime.modelarts import localised
from src.runtime.remedies import remedy_for
from src.runtime.storage import is_remote
from src.runtime.terminal import make_output_last, printable

DONE, FAULT, USER_ERROR = 0, 1, 2
MAX_MESSAGE = 4000  # characters; a name in it may have any length


def run_command(main: Callable[[list[str]], int | None]) -> int:
    """Run an entry point; returns its exit code: 0 success, 1 fault, 2 user error."""
    prepare_process()
    make_output_last()
    try:
        return main(sys.argv[1:]) or DONE
    except UserError as error:
        return _failed(error, USER_ERROR)
    except RemoteFault as error:
        return _failed(error, FAULT)
    except Standstill as error:
        os._exit(_failed(error, FAULT))  # the waiting thread cannot be ended
    except Exception as error:
        remedy = remedy_for(error)
        return _fault() if remedy is None else _failed(UserError(f"{_lack(error)}: {remedy}"), USER_ERROR)


@contextmanager
def naming_assumed_recipe(resolved: Resolved) -> Iterator[None]:
    """Context in which a user error names the recipe that was taken because the command line names none."""
    try:
        yield
    except UserError as error:
        if not resolved.assumed:
            raise
        raise UserError(f"{error} (recipe: {resolved.assumed}, since --config_path names none)") from None


def _failed(error: UserError | RemoteFault | Standstill, code: int) -> int:
    """Print the error's line; returns the exit code."""
    line = printable(str(error))
    print(f"error: {line if len(line) <= MAX_MESSAGE else line[:MAX_MESSAGE] + '...'}", file=sys.stderr, flush=True)
    return code


def _lack(error: Exception) -> str:
    """What the command lacks, for the user."""
    if isinstance(error, OSError):
        return f"{error.filename or 'a result'} cannot be used ({error.strerror})"
    reason = str(error).strip().split("\n")[0]
    return f"out of memory ({reason})" if reason else "out of memory"


def _fault() -> int:
    log_to_console().exception("the command failed")
    return FAULT


def command_config(
    argv: list[str],
    command: str,
    purpose: str,
    silent_settings: Callable[[Resolved], Sequence[str]] | None = None,
    **options: Callable,
) -> Resolved | None:
    """The command's configuration; None after `--help` or `--print_config`.

    Args:
        argv: arguments without the program's name.
        purpose: first lines of the help page.
        silent_settings: lines on settings that have no effect on the network's task, for `--print_config`.
        options: `open_checkpoint` and `network_names`, see `read_config`.
    """
    if "--help" in argv or "-h" in argv:
        print(help_text(command, purpose, min(120, shutil.get_terminal_size((120, 24)).columns)))
        return None
    resolved = read_config(argv, command, **_for_local_checkpoints(options))
    if resolved.config.run.print_config:
        for note in (*resolved.notes, *(silent_settings(resolved) if silent_settings else ())):
            print(printable(note), file=sys.stderr)
        # Without print_config itself, so the output can be used as a recipe.
        print(config_text(resolved.config.with_values(print_config=False)))
        return None
    if resolved.config.cloud.enable_modelarts:
        named = resolved.config.model.pretrained
        return localised(
            resolved, command, lambda path: read_config(_with_checkpoint(argv, named, path), command, **options)
        )
    for key in ("dataset_path", "pretrained"):
        if is_remote(resolved.config.flat()[key]):
            raise UserError(f"{key} ({resolved.origins[key]}) is in a bucket: add --enable_modelarts 1")
    return resolved


def _for_local_checkpoints(options: dict[str, Callable]) -> dict[str, Callable]:
    """The options, with a checkpoint in a bucket left unopened."""
    if "open_checkpoint" not in options:
        return options
    return {**options, "open_checkpoint": lambda path: None if is_remote(path) else options["open_checkpoint"](path)}


def _with_checkpoint(argv: list[str], remote: str, local: str) -> list[str]:
    """The arguments with a local checkpoint instead of the one in a bucket, which `pretrained` or nothing named."""
    if not remote:
        return [*argv, "--pretrained", local]
    return [word.removesuffix(remote) + local if f"={word}".endswith(f"={remote}") else word for word in argv]
