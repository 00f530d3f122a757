"""Arguments of the run_*.sh scripts: told apart by what they are, since one script's name means several forms.

`run_eval_ascend.sh CONFIG_PATH` and `run_eval_ascend.sh DEVICE_ID CONFIG_PATH CHECKPOINT_PATH` are the same script.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
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
    """A script's arguments by what they are.

    Attributes:
        found: {kind's name: word}
        options: `--key value ...` behind them, for the program.
    """

    found: dict[str, str]
    options: tuple[str, ...]

    def program_options(self, data_option: str) -> list[str]:
        """The program's options, those of the user last: they win.

        Args:
            data_option: what DATA_PATH becomes.
        """
        options = {kind: kind.option or (data_option if kind.name == "DATA_PATH" else "") for kind in KINDS}
        given = [
            f"--{option}={self._value(kind)}" for kind, option in options.items() if option and kind.name in self.found
        ]
        return [*given, *self.options]

    def _value(self, kind: Kind) -> str:
        word = self.found[kind.name]
        return PLATFORMS[word.lower()] if kind.name == "PLATFORM" else word


def parse_script_arguments(words: Sequence[str], forms: Sequence[str]) -> ScriptArguments:
    """Tell a script's arguments apart.

    Args:
        words: arguments in any order, then `--key value` options.
        forms: the script's forms, "DEVICE_ID CONFIG_PATH" for one.

    Raises:
        UserError: two arguments of one kind, or together none of the forms.
    """
    number = next((index for index, word in enumerate(words) if word.startswith("--")), len(words))
    found: dict[str, str] = {}
    for word in words[:number]:
        kind = next(kind for kind in KINDS if kind.matches(word))
        if kind.name in found:
            raise UserError(f"{found[kind.name]} and {word} are both taken for {kind.name}: give {' or '.join(forms)}")
        found[kind.name] = word
    if set(found) not in [set(form.split()) for form in forms]:
        got = " ".join(f"{name} ({word})" for name, word in found.items()) or "no arguments"
        raise UserError(f"{got}: give {' or '.join(forms)}")
    return ScriptArguments(found, tuple(words[number:]))


def device_target(default: str) -> str:
    """DEVICE_TARGET, which turns every script into a trial on another device."""
    return os.environ.get("DEVICE_TARGET", default)


def launcher_options(default_devices: int, rank_table: str | None) -> list[str]:
    """What the environment says about a start on many devices, as options of scripts/launch.py.

    Args:
        default_devices: where neither NUM_DEVICES nor the visible devices tell the number.
        rank_table: tells it, where there is one.
    """
    options = ["--rank_table", rank_table] if rank_table else []
    if not rank_table and (number := os.environ.get("NUM_DEVICES") or ("" if visible_devices() else default_devices)):
        options += ["--num_devices", str(number)]
    for name in ("LOG_FOLDER", "MAX_RESTARTS"):
        if os.environ.get(name):
            options += [f"--{name.lower()}", os.environ[name]]
    return options + [f"--{name.lower()}" for name in ("BACKGROUND", "USE_MSRUN") if os.environ.get(name) == "1"]
