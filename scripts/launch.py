"""Start a program of the project on many devices, of one server or of several.

    python scripts/launch.py --num_devices 8 train.py --config_path ...                on this machine
    python scripts/launch.py --rank_table hccl_8p.json train.py --config_path ...      by a rank table, here its part
    python scripts/launch.py --num_servers 2 --server_rank 1 --master 10.0.0.1 --num_devices 8 train.py ...
                                        on two servers: the same on each, with its own rank

Rank 0's output is shown; every rank's is written to the log folder. When one rank fails, its message is shown, all are
ended, and the exit code is that rank's.
"""

from __future__ import annotations

import argparse
import os
import sys
from itertools import pairwise
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from src.config import UserError
from src.runtime import cluster
from src.runtime.cluster import Cluster
from src.runtime.entry import run_command
from src.runtime.run_folder import fresh_folder
from src.runtime.seed_scripts import device_target
from src.runtime.supervisor import GRACE, run_msrun, run_with_restarts

ROOT = Path(__file__).resolve().parents[1]


def main(argv: list[str]) -> int:
    """Start the program and return its exit code."""
    options = _parser().parse_args(argv)
    found = _cluster(options)
    program = _program(options.program)
    log_folder = fresh_folder(Path(options.log_folder))
    _describe(found, program, log_folder)
    if options.background and (number := _go_to_background(log_folder / "launch.log")):
        print(f"started as process {number}; see {log_folder / 'launch.log'}, stop it by: kill {number}")
        return 0
    if options.use_msrun:
        return run_msrun(_msrun_options(found, options, log_folder), program)
    return run_with_restarts(found, [sys.executable, *program], log_folder, options.max_restarts, options.grace)


def _parser() -> argparse.ArgumentParser:
    text, rest = __doc__.split("\n\n", 1)
    parser = argparse.ArgumentParser(
        prog="launch.py", description=text, epilog=rest, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--num_devices", type=int, help="devices of this machine (default: the visible ones)")
    add("--rank_table", metavar="FILE", help="rank table: says all of the following itself")
    add("--server_id", default="", help="this machine's entry in the rank table (default: by its addresses)")
    add("--num_servers", type=int, default=1, help="servers, each with --num_devices (default: 1)")
    add("--server_rank", type=int, default=0, help="number of this server (default: 0)")
    add("--master", metavar="HOST", default="", help="address of server 0")
    add("--master_port", type=int, help="where the ranks meet (default: a free port; 8118 with several servers)")
    add(
        "--device_target",
        choices=("Ascend", "GPU", "CPU"),
        default=device_target("Ascend"),
        help="with a rank table: on Ascend the devices' library reads it itself (default: DEVICE_TARGET, else Ascend)",
    )
    add(
        "--log_folder",
        default="launch_logs",
        help="where each rank's output goes; numbered if it exists (default: launch_logs)",
    )
    add("--max_restarts", type=int, default=0, help="restarts from the last checkpoint after faults (default: 0)")
    add(
        "--grace",
        type=float,
        default=GRACE,
        help=f"seconds for the others to end and upload their results after one has failed (default: {GRACE:g})",
    )
    add("--background", action="store_true", help="return at once; everything goes to LOG_FOLDER/launch.log")
    add("--use_msrun", action="store_true", help="leave the start and the watch to MindSpore's msrun")
    add("program", nargs=argparse.REMAINDER, help="train.py, eval.py, ... with its options")
    return parser


def _cluster(options: argparse.Namespace) -> Cluster:
    port = options.master_port
    if options.rank_table:
        by_table = options.device_target == "Ascend" and not options.use_msrun
        return cluster.from_rank_table(
            Path(options.rank_table), by_table=by_table, server_id=options.server_id, port=port
        )
    number = cluster.visible_devices() if options.num_devices is None else options.num_devices
    if number is None:
        raise UserError("--num_devices is missing, and no variable names the visible devices: give --num_devices N")
    if number < 1:
        raise UserError(f"--num_devices {number}: at least 1 is needed")
    _check_visible(number, options)
    if options.num_servers == 1:
        return cluster.one_server(number, port)
    if not options.master:
        raise UserError(f"--num_servers {options.num_servers} needs --master with the address of server 0")
    return cluster.one_of_servers(number, options.num_servers, options.server_rank, options.master, port)


def _check_visible(number: int, options: argparse.Namespace) -> None:
    """UserError for more processes than visible devices, where the program is told to use such devices."""
    words = " ".join(options.program).replace("=", " ").split()
    target = next((after for word, after in pairwise(words) if word == "--device_target"), device_target("CPU"))
    visible = cluster.visible_devices()
    if target != "CPU" and visible is not None and number > visible:
        raise UserError(f"--num_devices {number}, but the environment shows {visible} devices: give at most {visible}")


def _program(words: list[str]) -> list[str]:
    """The program as an absolute path, and its options."""
    if not words:
        raise UserError("no program to start: give train.py or eval.py with its options")
    for folder in (Path.cwd(), ROOT):
        if (folder / words[0]).is_file():
            return [str(folder / words[0]), *words[1:]]
    raise UserError(f"{words[0]}: no such program here or in {ROOT}: give train.py or eval.py with its options")


def _describe(found: Cluster, program: list[str], log_folder: Path) -> None:
    ranks = ", ".join(f"{local.rank} on device {local.device_id}" for local in found.local)
    how = f"rank table {found.rank_table}" if found.rank_table else f"meeting at {found.host}:{found.port}"
    print(f"{Path(program[0]).name}: {found.num_ranks} ranks, here {ranks}; {how}; logs in {log_folder}", flush=True)


def _msrun_options(found: Cluster, options: argparse.Namespace, log_folder: Path) -> list[str]:
    table = [f"--rank_table_file={found.rank_table}"] if found.rank_table else []
    return [
        f"--worker_num={found.num_ranks}",
        f"--local_worker_num={len(found.local)}",
        f"--master_addr={found.host}",
        f"--master_port={found.port}",
        f"--node_rank={options.server_rank if not found.rank_table else found.local[0].rank // len(found.local)}",
        "--join=True",
        f"--log_dir={log_folder}",
        f"--tail_worker_log={found.local[0].rank}",
        *table,
    ]


def _go_to_background(log: Path) -> int:
    """Continue in a process without a terminal, whose output goes to `log`.

    Returns:
        That process's number here, 0 in it.
    """
    sys.stdout.flush()
    number = os.fork()
    if number == 0:
        os.setsid()
        with log.open("wb") as file:
            for stream in (sys.stdout, sys.stderr):
                os.dup2(file.fileno(), stream.fileno())
    return number


if __name__ == "__main__":
    sys.exit(run_command(main))
