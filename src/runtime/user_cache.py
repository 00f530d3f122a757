"""The user's cache: files that later processes can use, and that may be deleted at any time."""

from __future__ import annotations

import os
from pathlib import Path

CACHE_FOLDER = "mindspore-vision-research-zoo"


def cache_folder(kind: str) -> Path:
    """Folder of one kind of kept files, in the user's cache folder ($XDG_CACHE_HOME or ~/.cache); made if missing.

    Raises:
        OSError, RuntimeError: it cannot be made; the user has no home folder.
    """
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", CACHE_FOLDER, kind)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder
