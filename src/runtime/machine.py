"""This machine in the network: its own addresses, and those of its Ascend devices."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
from pathlib import Path

import psutil

from src.config import UserError

HCCN_CONF = Path("/etc/hccn.conf")
ADDRESS_TOOL = "hccn_tool"  # of the Ascend driver
TOOL_TIMEOUT = 30  # seconds
# What ModelArts calls this container and the machine under it.
ADDRESS_VARIABLES = ("MA_CURRENT_IP", "MA_CURRENT_HOST_IP")


def own_addresses() -> list[str]:
    """IPv4 addresses of this machine, the loopback's last, then its name and what the platform says it is called."""
    found = [
        each.address for each in sum(psutil.net_if_addrs().values(), []) if each.family is socket.AddressFamily.AF_INET
    ]
    addresses = sorted(found, key=lambda address: address.startswith("127."))
    named = [os.environ[name] for name in ADDRESS_VARIABLES if os.environ.get(name)]
    return list(dict.fromkeys([*addresses, socket.gethostname(), *named]))


def device_addresses(devices: list[int]) -> dict[int, str]:
    """{device: address of its network interface}, asked of the driver's tool, else read from its settings.

    Raises:
        UserError: the tool or the settings do not know a device, or there is neither.
    """
    if shutil.which(ADDRESS_TOOL):
        return {device: _asked_address(device) for device in devices}
    try:
        configured = dict(re.findall(r"^address_(\d+)=(\S+)$", HCCN_CONF.read_text(), re.MULTILINE))
    except OSError:
        raise UserError(
            f"no {ADDRESS_TOOL} and no {HCCN_CONF}: Ascend's driver is not on this machine; for a trial on the "
            "processor give --device_target CPU"
        ) from None
    missing = [device for device in devices if str(device) not in configured]
    if missing:
        raise UserError(f"{HCCN_CONF} has no address_{missing[0]}: this machine has {len(configured)} devices")
    return {device: configured[str(device)] for device in devices}


def _asked_address(device: int) -> str:
    command = [ADDRESS_TOOL, "-i", str(device), "-ip", "-g"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=TOOL_TIMEOUT, check=False).stdout
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UserError(f"{' '.join(command)}: {error}") from None
    found = re.search(r"ipaddr:\s*(\S+)", answer)
    if found is None:
        raise UserError(
            f"{' '.join(command)} names no address ({answer.strip() or 'no answer'}): is there a device {device}?"
        )
    return found[1]
