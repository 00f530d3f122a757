"""What every command shares: exit codes, help, and the start of a process in its device and group."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from src.config import Config, Resolved, Standstill, UserError, config_text, help_text, read_config
from src.runtime.device import ISA_VARIABLE, prepare_process, select_device
from src.runtime.distributed import join_group, launched
from src.runtime.logs import get_logger, log_to_console

DONE, FAULT, USER_ERROR = 0, 1, 2


@dataclass(frozen=True)
class Session:
    """This process: its device, its place among the ranks, and the processor's ISA limit."""

    device: str
    rank: int
    num_ranks: int
    isa: str

    @property
    def is_main(self) -> bool:
        """Whether this process is the one that writes."""
        return self.rank == 0


def run_command(main: Callable[[list[str]], int | None]) -> int:
    """Run an entry point and turn its end into an exit code (DESIGN, contract 6)."""
    prepare_process()
    try:
        code = main(sys.argv[1:]) or DONE
        sys.stdout.flush()
        return code
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return USER_ERROR
    except Standstill as error:
        print(f"error: {error}", file=sys.stderr, flush=True)
        os._exit(FAULT)  # the thread that waits for an answer cannot be ended
    except BrokenPipeError:  # the reader of our output has gone: `train.py --help | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except Exception:
        log_to_console().exception("the command failed")
        return FAULT


def command_config(argv: list[str], command: str, purpose: str, **options: Callable) -> Resolved | None:
    """The command's configuration; None when the user asked for help or for the configuration itself.

    Args:
        argv: arguments without the program's name.
        purpose: first lines of the help page.
        options: `checkpoint_values`, see `read_config`.
    """
    if "--help" in argv or "-h" in argv:
        print(help_text(f"{command}.py", purpose))
        return None
    resolved = read_config(argv, command, **options)
    if resolved.config.run.print_config:
        # Without the request itself, so that what is printed can be used as a recipe.
        print(config_text(resolved.config.with_values(print_config=False)))
        return None
    return resolved


def start(config: Config, notes: tuple[str, ...] = ()) -> Session:
    """Join the group on the configured device and open the log on the console with `notes`.

    Raises:
        UserError: the device is not there.
    """
    session = join(config)
    announce(config, session, notes)
    return session


def join(config: Config) -> Session:
    """Choose the device and join the launcher's group, silently; UserError when the device is not there."""
    isa = prepare_process()
    run = config.run
    select_device(run.device_target, None if launched() else run.device_id, pynative=run.context_mode == 1)
    rank, num_ranks = join_group()
    if rank == 0:
        log_to_console()
    return Session(run.device_target, rank, num_ranks, isa)


def announce(config: Config, session: Session, notes: Iterable[str]) -> None:
    """Log `notes` and what the user should know about this process."""
    logger = get_logger()
    for note in notes:
        logger.info(note)
    if session.device == "CPU":
        logger.info("CPU kernels limited to %s=%s (set it in the environment to change it)", ISA_VARIABLE, session.isa)
    if config.run.run_distribute and session.num_ranks == 1:
        logger.warning("run_distribute is on but no launcher started this process: one device; start it with msrun")
