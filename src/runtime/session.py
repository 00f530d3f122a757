"""Session: device and rank of this process, and its start."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from src.config import Config
from src.runtime.device import ISA_VARIABLE, prepare_process, select_device
from src.runtime.distributed import join_group, launched
from src.runtime.logs import get_logger, log_to_console


@dataclass(frozen=True)
class Session:
    """Device, rank and number of ranks of this process, the processor's ISA limit, and whether graphs are kept."""

    device: str
    rank: int
    num_ranks: int
    isa: str
    compile_cache: bool = False

    @property
    def is_main(self) -> bool:
        """Whether this process writes the results."""
        return self.rank == 0


def start(config: Config, notes: tuple[str, ...] = ()) -> Session:
    """Select the configured device, join the launcher's group, and log `notes` on the console.

    Raises:
        UserError: the device is not available.
    """
    session = join(config)
    announce(config, session, notes)
    return session


def join(config: Config) -> Session:
    """Select the device and join the launcher's group, without logging; UserError if the device is not available."""
    isa = prepare_process()
    run = config.run
    select_device(run.device_target, None if launched() else run.device_id, pynative=run.context_mode == 1)
    rank, num_ranks = join_group()
    if rank == 0:
        log_to_console()
    return Session(run.device_target, rank, num_ranks, isa, run.compile_cache)


def announce(config: Config, session: Session, notes: Iterable[str]) -> None:
    """Log `notes`, and remarks on the device and the launcher."""
    logger = get_logger()
    for note in notes:
        logger.info(note)
    if session.device == "CPU":
        logger.info("CPU kernels limited to %s=%s (set it in the environment to change it)", ISA_VARIABLE, session.isa)
    if config.run.run_distribute and session.num_ranks == 1:
        logger.warning(
            "run_distribute is on, but no launcher started this process: using one device; use scripts/launch.py"
        )
