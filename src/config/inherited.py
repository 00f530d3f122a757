"""Configuration that a checkpoint carries: which of its values a command takes over.

A checkpoint may come from anywhere. Its paths are read only if they lead to folders or lists that are there, the log
names them, and nothing is written because of them: an archive is unpacked only where the user names it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from src.config.marks import RUN_ONLY
from src.config.schema import KEY_TYPES, keys_marked

DATA_PATHS = ("dataset_path", "eval_path", "data_list")


def inherited_values(saved: Mapping[str, Any], path: str) -> tuple[dict[str, Any], list[str]]:
    """The configuration to take over from the checkpoint `path`, and lines for the log."""
    taken_over = set(KEY_TYPES) - keys_marked(RUN_ONLY)
    values = {key: value for key, value in saved.items() if key in taken_over}
    notes = [f"configuration from {path}"]
    for key in DATA_PATHS:
        place = values.get(key)
        if place and would_unpack(Path(str(place))):
            values[key] = ""
            notes.append(f"{key} {place} of the checkpoint would be unpacked: give --{key} {place} to allow it")
        elif place:
            notes.append(f"{key} from the checkpoint: {place}")
    return {**values, "pretrained": path}, notes


def would_unpack(place: Path) -> bool:
    """Whether reading the images at a place would unpack an archive there."""
    if place.is_file():
        return _is_packed(place)
    folders = (place, place / "train", place / "val", place.parent / "val")
    return any(_is_packed(path) for folder in folders if folder.is_dir() for path in folder.glob("*.tar"))


def _is_packed(path: Path) -> bool:
    return path.suffix == ".tar" and not path.with_suffix("").is_dir()
