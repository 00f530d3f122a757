"""Recipes written by tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from src.config import Resolved, read_config


def write_recipe(folder: Path, text: str) -> str:
    """Write folder/recipe.yml; returns its path."""
    path = folder / "recipe.yml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def resolve(folder: Path, text: str, *words: str, command: str = "train") -> Resolved:
    """Read the recipe text with a command line behind it."""
    return read_config(["--config_path", write_recipe(folder, text), *words], command)


def values(folder: Path, text: str, *words: str, command: str = "train") -> dict[str, Any]:
    """The flat configuration of a recipe text with a command line behind it."""
    return resolve(folder, text, *words, command=command).config.flat()
