"""Checkpoint and its writer.

The container is the framework's own format with CRC, so plain `mindspore.load_checkpoint` reads it. Its last entry is
the metadata as JSON, which a truncated file lacks, even one truncated at a record boundary.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from src.config import UserError
from src.runtime.files import partial_path, remove_leftovers
from src.runtime.remedies import remedy_for

FORMAT_VERSION = 1
META_KEY = "zoo_meta"


@dataclass(frozen=True)
class Checkpoint:
    """Content of a checkpoint file.

    Attributes:
        path: the file.
        tensors: weights by their plain names, training state as `optimizer.*`, `ema.*`, `state.*`.
        meta: configuration, counters, metrics, class names, preprocessing, environment, format version, checksum.
    """

    path: Path
    tensors: dict[str, np.ndarray]
    meta: dict[str, Any] = field(repr=False)

    STATE_PREFIXES = ("optimizer.", "ema.", "state.")

    def weights(self, use_ema: bool) -> dict[str, np.ndarray]:
        """The network's tensors by name; with `use_ema` the averaged ones, if the checkpoint has them."""
        plain = {name: value for name, value in self.tensors.items() if not name.startswith(self.STATE_PREFIXES)}
        averaged = self.state("ema.") if use_ema else {}
        return {name: averaged.get(name, value) for name, value in plain.items()}

    def state(self, prefix: str) -> dict[str, np.ndarray]:
        """The tensors below one of STATE_PREFIXES, without the prefix."""
        return {name.removeprefix(prefix): value for name, value in self.tensors.items() if name.startswith(prefix)}


def digest(tensors: Mapping[str, np.ndarray]) -> str:
    """sha256 over names, types, shapes and bytes, in order."""
    checksum = hashlib.sha256()
    for name, value in tensors.items():
        checksum.update(f"{name}:{value.dtype}:{value.shape};".encode())
        checksum.update(np.ascontiguousarray(value).data)
    return checksum.hexdigest()


def save_checkpoint(path: Path, tensors: Mapping[str, np.ndarray], meta: Mapping[str, Any]) -> None:
    """Write a checkpoint at `path`, complete or not at all.

    It is written to a temporary file, synced, then moved to `path`, whose old content is kept until then.

    Raises:
        UserError: it cannot be written (disk full, no permission); the old content of `path` is kept.
    """
    remove_leftovers(path)
    partial = partial_path(path)
    header = {"format": FORMAT_VERSION, "num_tensors": len(tensors), "sha256": digest(tensors)}
    try:
        _write(partial, tensors, json.dumps({**meta, **header}))
        os.replace(partial, path)
        _sync(path.parent)
    except Exception as error:  # the framework reports a full disk by several types
        remedy = remedy_for(error) or "free some space"
        raise UserError(f"checkpoint {path} could not be written ({_reason(error)}): {remedy}") from error
    finally:
        for leftover in path.parent.glob(f"{partial.stem}*"):  # the framework uses its own temporary name
            leftover.unlink(missing_ok=True)


def _write(path: Path, tensors: Mapping[str, np.ndarray], meta: str) -> None:
    import mindspore as ms

    records = [{"name": name, "data": ms.Tensor(value)} for name, value in tensors.items()]
    ms.save_checkpoint(records, str(path), append_dict={META_KEY: meta}, crc_check=True)
    path.chmod(0o644)  # the framework writes it read-only
    _sync(path)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _reason(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
