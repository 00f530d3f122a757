"""Where a configuration file is found."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml

from src.config.errors import UserError

PROJECT_ROOT = Path(__file__).resolve().parents[2]
CONFIG_ROOT = PROJECT_ROOT / "config"
YAML_ENDINGS = {".yml", ".yaml"}

SEEDS_FILE = CONFIG_ROOT / "seed_recipes.yml"


def find_config(path: str) -> Path:
    """The file that `--config_path` means.

    An existing path wins, against the caller's folder, then against the project's root. Else the file's name is
    looked up below config/, without regard to case and with .yml = .yaml.
    """
    for candidate in (Path(path), PROJECT_ROOT / path):
        if candidate.is_file():
            return candidate
    wanted = Path(path).name.lower()
    wanted_stem = Path(wanted).stem if Path(wanted).suffix in YAML_ENDINGS else wanted
    recipes = sorted(file for file in CONFIG_ROOT.glob("*/*") if file.suffix in YAML_ENDINGS)
    # The config/export.yml of a seed is <model>_export.yml here.
    matches = [file for file in recipes if file.stem.lower() == wanted_stem]
    matches = matches or [file for file in recipes if file.stem.lower().endswith(f"_{wanted_stem}")]
    if len(matches) == 1:
        return matches[0]
    names = ", ".join(str(file.relative_to(PROJECT_ROOT)) for file in matches or recipes)
    if matches:
        raise UserError(f"--config_path {path} fits several recipes: give the path of one of {names}")
    raise UserError(f"--config_path {path}: no such file; the recipes are {names}")


def shown(path: Path) -> str:
    """The path as a message shows it: relative to the current folder where it lies below it."""
    absolute = path.resolve()
    return str(absolute.relative_to(Path.cwd())) if absolute.is_relative_to(Path.cwd()) else str(path)


def seed_of(backbone: str) -> dict[str, str]:
    """Recipe and dialect of the seed that documents this network; {} for a network without a seed."""
    return next(
        (seed for beginning, seed in _seeds()["networks"].items() if backbone.lower().startswith(beginning)), {}
    )


def seed_recipe(backbone: str | None) -> Path:
    """The recipe of the seed that documents this network; without a network the one for such commands.

    Raises:
        UserError: the network has no seed.
    """
    found = seed_of(backbone)["recipe"] if backbone and seed_of(backbone) else None
    if backbone and not found:
        raise UserError(
            f"backbone {backbone} has no recipe of its own: give --config_path RECIPE, or a network of --list_models 1"
        )
    path = CONFIG_ROOT / (found or _seeds()["without_a_network"])
    if not path.is_file():
        raise UserError(f"--backbone {backbone} has no recipe at {path.relative_to(PROJECT_ROOT)}: give --config_path")
    return path


@cache
def _seeds() -> dict[str, Any]:
    return yaml.safe_load(SEEDS_FILE.read_text(encoding="utf-8"))
