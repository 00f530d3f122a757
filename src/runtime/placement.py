"""Placement: how a process finds the job that it belongs to, in the variables that its launcher has set."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from src.config import UserError
from src.runtime.files import write_atomically
from src.runtime.rank_table import DEADLINE, RankedDevice, RankTable, rank_table_file, read_rank_table

MSRUN, OPENMPI, RANK_TABLE = "msrun", "OpenMPI", "rank table"
# The devices whose processes find each other under a launcher: the framework's collectives of the CPU need msrun's.
STARTABLE = {MSRUN: ("Ascend", "GPU", "CPU"), OPENMPI: ("Ascend", "GPU"), RANK_TABLE: ("Ascend",)}
TABLE_VARIABLES = ("RANK_TABLE_FILE_V_1_0", "RANK_TABLE_FILE")  # the first is ModelArts' own converted table
DEVICE_VARIABLES = ("DEVICE_ID", "ASCEND_DEVICE_ID")


@dataclass(frozen=True)
class Placement:
    """The launcher of this process.

    Attributes:
        launcher: "msrun" (the project's own launcher sets the same variables), "OpenMPI", "rank table", or "" for a
            process on its own.
        why: the variable that says so; "" if none is set.
        is_scheduler: msrun's process that only brings the ranks together.
        rank_table: file or folder of the rank table; "" with other launchers.
    """

    launcher: str
    why: str
    is_scheduler: bool = False
    rank_table: str = ""

    def describe(self, rank: int, num_ranks: int) -> str:
        """One line for the log; "" for a process that no launcher started."""
        if not self.launcher:
            return f"cluster: 1 process ({self.why})" if self.why else ""
        return f"cluster: {num_ranks} processes, this is rank {rank} ({self.launcher}: {self.why})"


def find_placement(environment: Mapping[str, str]) -> Placement:
    """The launcher that started this process: msrun, else OpenMPI, else a rank table, else none."""
    if role := environment.get("MS_ROLE"):
        return Placement(MSRUN, f"MS_ROLE={role}", is_scheduler=role == "MS_SCHED")
    if size := environment.get("OMPI_COMM_WORLD_SIZE"):
        return Placement(OPENMPI, f"OMPI_COMM_WORLD_SIZE={size}")
    name = next((name for name in TABLE_VARIABLES if environment.get(name)), None)
    if name is None:
        return Placement("", "")
    if not environment.get("RANK_ID"):
        return Placement("", f"{name} is set, but RANK_ID is not")
    why = f"{name}={environment[name]}, RANK_ID={environment['RANK_ID']}"
    return Placement(RANK_TABLE, why, rank_table=environment[name])


def rank_table_variables(
    placement: Placement, environment: Mapping[str, str], deadline: float = DEADLINE
) -> dict[str, str]:
    """The variables of a start by rank table as the devices' library wants them: a completed table in a known format.

    Args:
        deadline: seconds to wait for the table's completion.

    Raises:
        UserError: see `read_rank_table`; a rank or a number of ranks that is not the table's.
    """
    table = read_rank_table(placement.rank_table, deadline)
    device = _device_of_rank(table, environment)
    device_id = next((environment[name] for name in DEVICE_VARIABLES if environment.get(name)), str(device.device_id))
    return {
        "RANK_TABLE_FILE": str(_in_known_format(rank_table_file(placement.rank_table), table)),
        "RANK_ID": str(device.rank),
        "RANK_SIZE": str(table.num_ranks),
        "DEVICE_ID": device_id,
    }


def _device_of_rank(table: RankTable, environment: Mapping[str, str]) -> RankedDevice:
    size = environment.get("RANK_SIZE", str(table.num_ranks))
    if size != str(table.num_ranks):
        raise UserError(f"RANK_SIZE is {size}, but the rank table has {table.num_ranks} ranks: let them agree")
    devices = {str(device.rank): device for server in table.servers for device in server.devices}
    if environment["RANK_ID"] not in devices:
        raise UserError(
            f"RANK_ID is {environment['RANK_ID']}, but the ranks of the rank table are 0 to {table.num_ranks - 1}"
        )
    return devices[environment["RANK_ID"]]


def _in_known_format(file: Path, table: RankTable) -> Path:
    """The table's file; a converted copy where it is in the old template, which the devices' library cannot read."""
    if "server_list" in json.loads(file.read_text(encoding="utf-8")):
        return file
    text = json.dumps(table.as_dict(), indent=2)
    # Named by its content: all ranks of this server write the same file.
    converted = Path(tempfile.gettempdir()) / f"rank_table_{hashlib.sha256(text.encode()).hexdigest()[:16]}.json"
    write_atomically(converted, text)
    return converted
