"""Rank tables for jobs on Ascend devices.

python scripts/hccl_tools.py --device_num "[0,8)"       write the table of this server's devices 0 to 7
python scripts/hccl_tools.py --visible_devices "0,3"    of some of them
python scripts/hccl_tools.py --merge A.json B.json      one table for several servers
python scripts/hccl_tools.py --check TABLE.json         look for mistakes and print who has which rank
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from src.config import UserError
from src.runtime.entry import run_command
from src.runtime.files import write_atomically
from src.runtime.machine import device_addresses, own_addresses
from src.runtime.rank_table import RankedDevice, RankedServer, RankTable, merged, read_rank_table


def main(argv: list[str]) -> int:
    """Write, merge or check rank tables."""
    options = _parser().parse_args(argv)
    if options.check:
        _describe(read_rank_table(options.check, deadline=0), options.check)
        return 0
    if options.merge:
        table = merged([read_rank_table(path, deadline=0) for path in options.merge])
        path = Path(options.output or f"hccl_{len(table.servers)}s_{table.num_ranks}p.json")
    else:
        table = _own_table(options)
        (server,) = table.servers
        devices = "".join(str(device.device_id) for device in server.devices)
        path = Path(options.output or f"hccl_{table.num_ranks}p_{devices}_{server.server_id}.json")
    _write(table, path)
    _describe(table, path)
    return 0


def _parser() -> argparse.ArgumentParser:
    text, examples = __doc__.split("\n\n", 1)
    parser = argparse.ArgumentParser(
        prog="hccl_tools.py",
        description=text,
        epilog=examples,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--device_num", metavar="RANGE", help='devices as a half-open range: "[0,8)" (the default)')
    parser.add_argument("--visible_devices", metavar="LIST", help='devices as a list instead: "0,3"')
    parser.add_argument("--server_ip", metavar="ADDRESS", help="this server's address (default: its first one)")
    parser.add_argument("--device_target", choices=("Ascend", "CPU"), default="Ascend", help="CPU: a table for a trial")
    parser.add_argument("--merge", nargs="+", metavar="TABLE", help="join the tables of several servers")
    parser.add_argument("--check", metavar="TABLE", help="look for mistakes in a table")
    parser.add_argument("--output", metavar="FILE", help="where to write (default: a name that says what is in it)")
    return parser


def _own_table(options: argparse.Namespace) -> RankTable:
    devices = _devices(options)
    addresses = dict.fromkeys(devices, "") if options.device_target == "CPU" else device_addresses(devices)
    entries = [RankedDevice(device, rank, addresses[device]) for rank, device in enumerate(devices)]
    return RankTable((RankedServer(options.server_ip or own_addresses()[0], tuple(entries)),))


def _devices(options: argparse.Namespace) -> list[int]:
    if options.visible_devices and options.device_num:
        raise UserError("--device_num and --visible_devices both name the devices: give one of them")
    if options.visible_devices:
        if not re.fullmatch(r"\d+(,\d+)*", options.visible_devices.replace(" ", "")):
            raise UserError(f'--visible_devices {options.visible_devices!r}: a list like "0,3" is expected')
        devices = list(map(int, options.visible_devices.split(",")))
        if len(set(devices)) < len(devices):
            raise UserError(f"--visible_devices {options.visible_devices}: names a device twice")
        return sorted(devices)
    text = options.device_num or "[0,8)"
    found = re.fullmatch(r"\[\s*(\d+)\s*,\s*(\d+)\s*\)", text)
    if found is None or int(found[1]) >= int(found[2]):
        raise UserError(f'--device_num {text!r}: a half-open range like "[0,8)" is expected')
    return list(range(int(found[1]), int(found[2])))


def _write(table: RankTable, path: Path) -> None:
    """The table as JSON; an existing file that says something else is not overwritten."""
    text = json.dumps(table.as_dict(), indent=2) + "\n"
    if path.exists() and path.read_text(encoding="utf-8") != text:
        raise UserError(f"{path} exists and holds another table: remove it, or give --output FILE")
    write_atomically(path, text)


def _describe(table: RankTable, path: str | Path) -> None:
    print(f"{path}: {table.num_ranks} ranks on {len(table.servers)} server{'s' if len(table.servers) > 1 else ''}")
    for server in table.servers:
        ranks = ", ".join(f"{device.rank} = device {device.device_id}" for device in server.devices)
        print(f"  {server.server_id}  rank {ranks}")


if __name__ == "__main__":
    sys.exit(run_command(main))
