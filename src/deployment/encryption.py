"""Encryption of MINDIR files; the key stands in a file, so that it appears in no command line, log or configuration."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from src.config import UserError

AES_KEYS = (16, 24, 32)  # bytes
KEY_LENGTHS = {"AES-GCM": AES_KEYS, "AES-CBC": AES_KEYS, "SM4-CBC": (16,)}


@dataclass(frozen=True)
class Encryption:
    """Key and mode, of KEY_LENGTHS."""

    key: bytes = field(repr=False)
    mode: str


def read_encryption(path: Path, mode: str) -> Encryption:
    """The key of the file; a line end after it, as editors add, does not belong to it.

    Raises:
        UserError: the file cannot be read, or the mode takes no key of this length.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UserError(f"enc_key_file: {path} cannot be read ({error.strerror}): give a file with the key") from None
    lengths = KEY_LENGTHS[mode]
    key = content if len(content) in lengths else content.removesuffix(b"\n").removesuffix(b"\r")
    if len(key) not in lengths:
        allowed = " or ".join(map(str, lengths))
        raise UserError(
            f"enc_key_file: {path} has {len(key)} bytes, a key of {mode} has {allowed}: "
            f"make one with openssl rand -out {path} {lengths[-1]}"
        )
    return Encryption(key, mode)
