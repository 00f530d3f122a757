"""Scalars in TensorBoard's file format, which is short enough to be written without TensorBoard.

A file is a row of records: length, checksum of the length, data, checksum of the data; the data are `Event` messages of
tensorflow/core/util/event.proto in protocol buffer encoding (field numbers in the code below).
"""

from __future__ import annotations

import os
import struct
import time
from collections.abc import Mapping
from functools import cache
from pathlib import Path

_VERSION = b"brain.Event:2"


class EventFile:
    """A new events file in `folder`; TensorBoard reads all of a folder's files together.

    Args:
        folder: where TensorBoard looks; it must exist.
        first_step: what older files of the folder hold of this step and later ones is no longer shown (a resumed run).
    """

    def __init__(self, folder: Path, first_step: int):
        self.path = folder / f"events.out.tfevents.{int(time.time())}.{os.getpid()}"
        self._append(_event(time.time(), 0, _bytes_field(3, _VERSION)))
        start = _bytes_field(7, b"\x08\x01")  # SessionLog: status START
        self._append(_event(time.time(), first_step, start))

    def write(self, step: int, values: Mapping[str, float]) -> None:
        """Append one value a tag; it is in the file at once."""
        summary = b"".join(_bytes_field(1, _scalar(tag, value)) for tag, value in values.items())
        self._append(_event(time.time(), step, _bytes_field(5, summary)))

    def _append(self, event: bytes) -> None:
        with self.path.open("ab") as file:
            file.write(record(event))


def record(data: bytes) -> bytes:
    """One record of the file."""
    length = struct.pack("<Q", len(data))
    return length + _checksum(length) + data + _checksum(data)


def _event(wall_time: float, step: int, content: bytes) -> bytes:
    return b"\x09" + struct.pack("<d", wall_time) + b"\x10" + _varint(step) + content


def _scalar(tag: str, value: float) -> bytes:
    """Summary.Value with its tag (1) and simple_value (2)"""
    return _bytes_field(1, tag.encode()) + b"\x15" + struct.pack("<f", value)


def _bytes_field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(number: int) -> bytes:
    """Seven bits a byte, the lowest first; the highest bit says that more follow."""
    groups = bytearray()
    while number > 0x7F:
        groups.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*groups, number])


def _checksum(data: bytes) -> bytes:
    """CRC-32C, rotated and shifted as the format wants it."""
    crc, table = 0xFFFFFFFF, _crc_table()
    for byte in data:
        crc = table[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    crc ^= 0xFFFFFFFF
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


@cache
def _crc_table() -> list[int]:
    table = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
        table.append(value)
    return table
