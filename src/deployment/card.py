"""Card of an exported file: the JSON beside it that describes it; the two appear together."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from src.runtime.files import write_atomically


def card_path(path: Path) -> Path:
    """The card of an exported file."""
    return path.with_name(f"{path.name}.json")


def keep_with_card(made: Path, card: Mapping[str, Any], path: Path) -> None:
    """Move the finished file `made` to `path`, with its card, to which the checksum is added, beside it.

    Args:
        made: in a temporary folder of the same drive; its name is that of `path`.
    """
    content = {**card, "sha256": hashlib.sha256(made.read_bytes()).hexdigest()}
    write_atomically(card_path(made), json.dumps(content, indent=2, ensure_ascii=False))
    made.chmod(0o644)
    os.replace(card_path(made), card_path(path))
    os.replace(made, path)
