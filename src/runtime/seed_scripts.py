"""Arguments of the run_*.sh scripts: told apart by what they are, since one script's name means several forms.

`run_eval_ascend.sh CONFIG_PATH` and `run_eval_ascend.sh DEVICE_ID CONFIG_PATH CHECKPOINT_PATH` are the same script.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from src.config import UserError
from src.runtime.cluster import visible_devices

PLATFORMS = {"ascend": "Ascend", "gpu": "GPU", "cpu": "CPU"}


@dataclass(frozen=True)
class Kind:
    """What an argument can be.

    Attributes:
        name: as the usage lines write it.
        option: the program's option that it becomes; "" where that depends on the program.
        matches: whether a word is one.
    """

    name: str
    option: str
    matches: Callable[[str], bool]


# In this order: anything that is nothing else is a folder of data.
KINDS = (
    Kind("RANK_TABLE_FILE", "", lambda word: word.endswith(".json") or _holds_rank_table(word)),
    Kind("CONFIG_PATH", "config_path", lambda word: word.lower().endswith((".yml", ".yaml"))),
    Kind("CHECKPOINT_PATH", "pretrained", lambda word: word.endswith(".ckpt")),
    Kind("DEVICE_ID", "device_id", lambda word: re.fullmatch(r"\d+", word) is not None),
    Kind("PLATFORM", "device_target", lambda word: word.lower() in PLATFORMS),
    Kind("DATA_PATH", "", lambda word: True),
)


def _holds_rank_table(word: str) -> bool:
    return Path(word).is_dir() and any(Path(word).glob("*hccl*.json"))


@dataclass(frozen=True)
class ScriptArguments:
    """A script's arguments.

    Attributes:
        options: what they are to the program, then the user's own options, which win.
        rank_table: its file or folder, "" without one.
        names_device: whether one of them is the device's kind.
    """

    options: tuple[str, ...]
    rank_table: str = ""
    names_device: bool = False


def parse_script_arguments(words: Sequence[str], forms: Sequence[str], data_option: str) -> ScriptArguments:
    """Tell a script's arguments apart by what they are.

    Args:
        words: arguments in any order, then `--key value` options.
        forms: the script's forms, "DEVICE_ID CONFIG_PATH" for one.
        data_option: what DATA_PATH is to the program.

    Raises:
        UserError: two arguments of one kind, or together none of the forms.
    """
    given, options = _split(words)
    found: dict[str, str] = {}
    for word in given:
        kind = next(kind for kind in KINDS if kind.matches(word))
        if kind.name in found:
            raise UserError(f"{found[kind.name]} and {word} are both taken for {kind.name}: give {' or '.join(forms)}")
        found[kind.name] = word
    if set(found) not in [set(form.split()) for form in forms]:
        got = " ".join(f"{name} ({word})" for name, word in found.items()) or "no arguments"
        raise UserError(f"{got}: give {' or '.join(forms)}")
    names = {kind.name: kind.option for kind in KINDS if kind.option} | {"DATA_PATH": data_option}
    values = found | ({"PLATFORM": PLATFORMS[found["PLATFORM"].lower()]} if "PLATFORM" in found else {})
    own = tuple(f"--{option}={values[name]}" for name, option in names.items() if name in values)
    return ScriptArguments((*own, *options), found.get("RANK_TABLE_FILE", ""), "PLATFORM" in found)


def parse_ordered_arguments(words: Sequence[str], names: Mapping[str, str]) -> ScriptArguments:
    """Tell a script's arguments apart by their order.

    Args:
        names: {an argument's name: the program's option that it becomes}

    Raises:
        UserError: too many or too few.
    """
    given, options = _split(words)
    if len(given) != len(names):
        raise UserError(f"{len(given)} arguments instead of {len(names)}: give {' '.join(names)} [--key value ...]")
    own = (f"--{option}={word}" for option, word in zip(names.values(), given, strict=True))
    return ScriptArguments((*own, *options))


def _split(words: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    """(arguments, `--key value` options behind them)"""
    number = next((index for index, word in enumerate(words) if word.startswith("--")), len(words))
    return words[:number], words[number:]


def chosen_recipe(default: str) -> str:
    """CONFIG_PATH, another recipe for the scripts that have their own."""
    return os.environ.get("CONFIG_PATH", default)


def device_target(default: str) -> str:
    """DEVICE_TARGET, which turns every script into a trial on another device."""
    return os.environ.get("DEVICE_TARGET", default)


def launcher_options(default_devices: int, num_devices: int | None, rank_table: str) -> list[str]:
    """What the environment says about a start on many devices, as options of scripts/launch.py.

    Args:
        default_devices: where nothing else tells the number.
        num_devices: the script's own number.
        rank_table: tells it, where there is one.
    """
    if rank_table:
        options = ["--rank_table", rank_table]
    else:
        number = num_devices or os.environ.get("NUM_DEVICES") or ("" if visible_devices() else default_devices)
        options = ["--num_devices", str(number)] if number else []
    for name in ("LOG_FOLDER", "MAX_RESTARTS", "MASTER_PORT"):
        if os.environ.get(name):
            options += [f"--{name.lower()}", os.environ[name]]
    return options + [f"--{name.lower()}" for name in ("BACKGROUND", "USE_MSRUN") if os.environ.get(name) == "1"]
