"""Session: device and rank of this process, and its start."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field

from src.config import Config, UserError
from src.runtime.device import prepare_process, select_device
from src.runtime.distributed import join_group
from src.runtime.logs import get_logger, log_to_console
from src.runtime.placement import RANK_TABLE, STARTABLE, Placement, find_placement, rank_table_variables


@dataclass(frozen=True)
class Session:
    """Device, rank and number of ranks of this process, and the processor's ISA limit.

    Attributes:
        cluster: how the cluster was found, for the log; "" for a process on its own.
        compile_cache: whether compiled graphs are kept for later processes.
    """

    device: str
    rank: int
    num_ranks: int
    isa: str
    cluster: str = field(default="", repr=False)
    compile_cache: bool = field(default=False, repr=False)

    @property
    def is_main(self) -> bool:
        """Whether this process writes the results."""
        return self.rank == 0


def launched() -> bool:
    """Whether a launcher started this process as one of several."""
    return find_placement(os.environ).launcher != ""


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
    placement = find_placement(os.environ)
    device_id = _launched_device(placement, run.device_target) if placement.launcher else run.device_id
    select_device(run.device_target, device_id, pynative=run.context_mode == 1)
    rank, num_ranks = join_group(placement)
    if rank == 0:
        log_to_console()
    cluster = placement.describe(rank, num_ranks)
    return Session(run.device_target, rank, num_ranks, isa, cluster, run.compile_cache)


def _launched_device(placement: Placement, device_target: str) -> int | None:
    """The device's number by the rank table; None where the framework chooses when it joins the group."""
    if device_target not in STARTABLE[placement.launcher]:
        raise UserError(
            f"device_target {device_target} is not started by {placement.launcher} ({placement.why}), which starts "
            f"{' and '.join(STARTABLE[placement.launcher])}: use scripts/launch.py"
        )
    if placement.launcher != RANK_TABLE:
        return None
    os.environ.update(rank_table_variables(placement, os.environ))
    return int(os.environ["DEVICE_ID"])


def announce(config: Config, session: Session, notes: Iterable[str]) -> None:
    """Log `notes`, and remarks on the launcher."""
    logger = get_logger()
    for note in notes:
        logger.info(note)
    if session.cluster:
        logger.info(session.cluster)
    if config.run.run_distribute and session.num_ranks == 1:
        logger.warning(
            "run_distribute is on, but no launcher started this process: using one device; use scripts/launch.py"
        )
