"""A training run of tiny.yml and what is in its folder."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from src.checkpoints import Checkpoint, load_checkpoint
from tests.support.commands import TINY


@dataclass(frozen=True)
class TinyRun:
    """A run folder <parent>/tiny and the options that train into it."""

    digits: Path
    parent: Path
    name: str = "tiny"

    @property
    def options(self) -> tuple[str, ...]:
        """Of train.py."""
        return (
            *("--config_path", str(TINY), "--dataset_path", str(self.digits)),
            *("--save_checkpoint_path", str(self.parent)),
        )

    @property
    def folder(self) -> Path:
        return self.parent / self.name

    @property
    def checkpoints(self) -> Path:
        return self.folder / "ckpt"

    @property
    def last(self) -> Path:
        return self.checkpoints / "last.ckpt"

    @property
    def best(self) -> Path:
        return self.checkpoints / "best.ckpt"

    @property
    def log(self) -> str:
        """train.log, empty before there is one."""
        path = self.folder / "train.log"
        return path.read_text(encoding="utf-8") if path.exists() else ""

    @property
    def records(self) -> list[dict]:
        """The complete lines of metrics.jsonl."""
        path = self.folder / "metrics.jsonl"
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]

    @property
    def epochs(self) -> list[int]:
        """Epoch numbers of metrics.jsonl."""
        return [record["epoch"] for record in self.records]

    def load(self) -> Checkpoint:
        """last.ckpt, checked."""
        return load_checkpoint(self.last)

    def weights(self) -> str:
        """Checksum of everything that was trained: weights, moments, averages, counters."""
        return self.load().meta["sha256"]

    def identity(self) -> int:
        """Changes whenever last.ckpt is replaced; 0 before there is one."""
        return self.last.stat().st_mtime_ns if self.last.exists() else 0

    def partial_bytes(self) -> int:
        """Size of a checkpoint that is being written."""
        sizes = [0]
        for path in self.checkpoints.glob(".last.partial-*"):
            try:
                sizes.append(path.stat().st_size)
            except FileNotFoundError:  # put in place meanwhile
                continue
        return max(sizes)
