"""Texts of `--help` and `--print_config`."""

from __future__ import annotations

import re
from dataclasses import fields

import yaml

from src.config.reader import DEFAULTS_FILE
from src.config.schema import SECTIONS, Config

_KEY_LINE = re.compile(r"^(?P<key>\w+):\s*(?P<default>.*?)\s+#\s(?P<meaning>.*)$")


def key_meanings() -> dict[str, tuple[str, str]]:
    """{key: (default as written, meaning)} from config/defaults.yml, the only place where keys are documented."""
    matches = (_KEY_LINE.match(line) for line in DEFAULTS_FILE.read_text(encoding="utf-8").splitlines())
    return {match["key"]: (match["default"], match["meaning"]) for match in matches if match}


def help_text(program: str, purpose: str) -> str:
    """Usage, purpose and all keys, by section."""
    meanings = key_meanings()
    lines = [
        f"usage: python {program} [--config_path RECIPE] [--key value | --key=value ...]",
        "",
        purpose.strip(),
        "",
        "Precedence: defaults (config/defaults.yml) < recipe < command line. Booleans: 1 or true, 0 or false.",
        "  --config_path FILE          recipe: a path, or the name of a file below config/",
        "  --print_config              print the resulting configuration, then stop",
        "  --help                      print this page, then stop",
    ]
    for section in SECTIONS.values():
        lines += ["", f"{section.__doc__}:"]
        for field in fields(section):
            default, meaning = meanings[field.name]
            lines.append(f"  --{field.name:<25} {meaning} [{default}]")
    return "\n".join(lines)


def config_text(config: Config) -> str:
    """The configuration as YAML, usable as a recipe."""
    blocks = []
    for name, section in SECTIONS.items():
        values = {field.name: getattr(getattr(config, name), field.name) for field in fields(section)}
        blocks.append(f"# == {section.__doc__} ==\n" + yaml.safe_dump(values, sort_keys=False, allow_unicode=True))
    return "\n".join(blocks)
