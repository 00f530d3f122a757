"""Damage to files: what disks, networks and attackers do to bytes, texts and tables, from a random generator."""

from __future__ import annotations

import copy
import json
from typing import Any

import numpy as np

NUMBERS = ("-1", "0", "9" * 19, "1e999", "0x7fffffff", "9" * 5000, "nan", "-0.0", "1:30", "1_0")
WORDS = (
    "",
    "null",
    "true",
    "~",
    "\x1b[2J",
    "\u202e",
    "=1+1",
    "../" * 40,
    "x" * 5000,
    "{",
    "[" * 600,
    "&a [*a]",
    "!!int ''",
)
VALUES: tuple[Any, ...] = (None, True, -1, 0, 2**63, 1e308, "", "x" * 5000, [], {}, [[]], {"a": {}}, "\udcff", [None])


def damaged_bytes(content: bytes, rng: np.random.Generator) -> bytes:
    """A copy with one to four faults: bits, lost or repeated parts, extreme lengths, a cut."""
    data = bytearray(content)
    for _ in range(rng.integers(1, 5)):
        _FAULTS[rng.integers(len(_FAULTS))](data, rng)
    return bytes(data)


def _position(data: bytearray, rng: np.random.Generator) -> int:
    """Anywhere, but half of the time near the beginning, where the headers are."""
    length = max(1, len(data))
    return int(rng.integers(min(length, 256) if rng.random() < 0.5 else length))


def _flip(data: bytearray, rng: np.random.Generator) -> None:
    for _ in range(rng.integers(1, 9)):
        if data:
            data[_position(data, rng)] ^= 1 << rng.integers(8)


def _cut(data: bytearray, rng: np.random.Generator) -> None:
    del data[_position(data, rng) :]


def _lose(data: bytearray, rng: np.random.Generator) -> None:
    begin = _position(data, rng)
    del data[begin : begin + int(rng.integers(1, 65))]


def _repeat(data: bytearray, rng: np.random.Generator) -> None:
    begin = _position(data, rng)
    data[begin:begin] = data[begin : begin + int(rng.integers(1, 257))] * int(rng.integers(1, 5))


def _extreme(data: bytearray, rng: np.random.Generator) -> None:
    begin, width = _position(data, rng), int(rng.choice([1, 2, 4, 8]))
    data[begin : begin + width] = [b"\xff", b"\x00", b"\x7f"][rng.integers(3)] * width


def _noise(data: bytearray, rng: np.random.Generator) -> None:
    begin = _position(data, rng)
    data[begin : begin + 16] = rng.bytes(16)


_FAULTS = (_flip, _cut, _lose, _repeat, _extreme, _noise)


def damaged_text(content: bytes, rng: np.random.Generator) -> bytes:
    """A text with another word or number in one place, or lines that are doubled, joined or damaged as bytes."""
    if rng.random() < 0.3:
        return damaged_bytes(content, rng)
    lines = content.decode("utf-8").split("\n")
    for _ in range(rng.integers(1, 4)):
        index = int(rng.integers(len(lines)))
        parts = lines[index].split(" ")
        parts[rng.integers(len(parts))] = str(rng.choice([*NUMBERS, *WORDS]))
        lines[index] = [" ", "\t", ":", "\n"][rng.integers(4)].join(parts)
    return "\n".join(lines).encode("utf-8", "surrogateescape")


def damaged_json(content: bytes, rng: np.random.Generator) -> bytes:
    """A JSON text in which one to three values, at any depth, are others, or whose bytes are damaged."""
    if rng.random() < 0.2:
        return damaged_bytes(content, rng)
    table = json.loads(content)
    for _ in range(rng.integers(1, 4)):
        _replace(table, rng)
    return json.dumps(table).encode()


def _replace(table: Any, rng: np.random.Generator) -> None:
    keys = list(table) if isinstance(table, dict) else list(range(len(table)))
    if not keys:
        return
    key = keys[rng.integers(len(keys))]
    if isinstance(table[key], dict | list) and rng.random() < 0.7:
        _replace(table[key], rng)
    elif rng.random() < 0.3:
        del table[key]
    else:
        table[key] = copy.deepcopy(VALUES[rng.integers(len(VALUES))])
