"""Lookup of configuration files: by path, by recipe name, or by network."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from src.config.errors import UserError, few_names, nearest_first

PROJECT_ROOT = Path(__file__).resolve().parents[2]
CONFIG_ROOT = PROJECT_ROOT / "config"
YAML_ENDINGS = {".yml", ".yaml"}

SEEDS_FILE = CONFIG_ROOT / "seed_recipes.yml"


def find_config(path: str, network: Callable[[], str] = str) -> Path:
    """The file for `--config_path`.

    Args:
        network: returns the network's name ("": unknown), asked only if several recipes match.

    An existing path takes precedence, relative to the current folder, then to the project root. Otherwise the file name
    is looked up below config/, ignoring case and treating .yml and .yaml as equal.

    Raises:
        UserError: no file, or several recipes match.
    """
    for candidate in (Path(path), PROJECT_ROOT / path):
        if candidate.is_file():
            return candidate
    wanted = Path(path).name.lower()
    wanted_stem = Path(wanted).stem if Path(wanted).suffix in YAML_ENDINGS else wanted
    recipes = sorted(file for file in CONFIG_ROOT.glob("*/*") if file.suffix in YAML_ENDINGS)
    # The config/export.yml of an original project is <model>_export.yml here.
    matches = [file for file in recipes if file.stem.lower() == wanted_stem]
    matches = matches or [file for file in recipes if file.stem.lower().endswith(f"_{wanted_stem}")]
    if len(matches) > 1:
        folder = Path(seed_of(network()).get("recipe", "")).parent.name
        matches = [file for file in matches if file.parent.name == folder] or matches
    if len(matches) == 1:
        return matches[0]
    if matches:
        names = ", ".join(map(_within_project, matches))
        raise UserError(f"--config_path {path} matches several recipes: give the path of one of {names}")
    nearest = few_names([_within_project(file) for file in nearest_first(wanted_stem, recipes, _stem)], 3)
    raise UserError(f"--config_path {path}: no such file; the nearest recipes are {nearest}")


def _within_project(file: Path) -> str:
    return str(file.relative_to(PROJECT_ROOT))


def _stem(file: Path) -> str:
    return file.stem.lower()


def shown(path: Path) -> str:
    """The path for messages: relative to the current folder if it is below it."""
    absolute = path.resolve()
    return str(absolute.relative_to(Path.cwd())) if absolute.is_relative_to(Path.cwd()) else str(path)


def seed_of(backbone: str) -> dict[str, str]:
    """Recipe and dialect of the network's original project; {} for a network without one."""
    return next(
        (seed for beginning, seed in _seeds()["networks"].items() if backbone.lower().startswith(beginning)), {}
    )


def dialect_of_dataset(dataset: str | None) -> str:
    """The dialect of the only project that has this data set, "" if there is none."""
    return _seeds()["datasets"].get(dataset or "", "")


def dialect_recipe(dialect: str) -> tuple[Path, frozenset[str]] | None:
    """The recipe of an original project, and the keys that its documented options leave unsaid; None for others."""
    unsaid = _seeds()["unsaid"].get(dialect)
    recipe = next((seed["recipe"] for seed in _seeds()["networks"].values() if seed["dialect"] == dialect), "")
    return (CONFIG_ROOT / recipe, frozenset(unsaid)) if unsaid else None


def seed_recipe(backbone: str | None, dialect: str = "") -> Path:
    """The default recipe of a network, from its original project; without a network the recipe of such commands.

    Args:
        dialect: the project whose options a command without a network uses; "": none in particular.

    Raises:
        UserError: the network has no default recipe.
    """
    found = seed_of(backbone)["recipe"] if backbone and seed_of(backbone) else None
    if backbone and not found:
        raise UserError(
            f"backbone {backbone} has no recipe of its own: give --config_path RECIPE, or a network of --list_models 1"
        )
    of_dialect = dialect_recipe(dialect)
    if of_dialect and not backbone:
        return of_dialect[0]
    path = CONFIG_ROOT / (found or _seeds()["without_a_network"])
    if not path.is_file():
        raise UserError(f"--backbone {backbone} has no recipe at {path.relative_to(PROJECT_ROOT)}: give --config_path")
    return path


@cache
def _seeds() -> dict[str, Any]:
    return yaml.safe_load(SEEDS_FILE.read_text(encoding="utf-8"))
