"""Texts of `--help` and `--print_config`."""

from __future__ import annotations

import re
import textwrap
from dataclasses import fields

import yaml

from src.config.reader import DEFAULTS_FILE
from src.config.schema import SECTIONS, Config

_KEY_LINE = re.compile(r"^(?P<key>\w+):\s*(?P<default>.*?)\s+#\s(?P<meaning>.*)$")

_OF_A_CHECKPOINT = """
device_target device_id context_mode amp_level eval_image_size backbone class_num pretrained use_ema
interpolation crop_pct mean std rgb eval_mode eval_scales eval_flip output
"""
# The keys on the page of a command other than train, whose page has all.
COMMAND_KEYS = {
    "eval": _OF_A_CHECKPOINT
    + """
    dataset dataset_path data_list ignore_label data_timeout eval_path eval_split eval_batch_size eval_num_workers
    batch_statistics run_distribute report submit enable_modelarts data_url train_url checkpoint_url output_path
    data_path load_path
    """,
    "export": _OF_A_CHECKPOINT.replace("output", "")
    + "batch_size batch_statistics file_format file_name quantize dynamic_batch enc_key_file enc_mode lite_python "
    "input overwrite eval_path eval_split eval_batch_size dataset dataset_path data_list",
    "predict": _OF_A_CHECKPOINT + "input top_k show_graph nodes eval_batch_size",
    "convert": "backbone input output overwrite class_num use_ema train_image_size stem_pool",
}


def key_meanings() -> dict[str, tuple[str, str]]:
    """{key: (default as written, meaning)} from config/defaults.yml, the only place where keys are documented."""
    matches = (_KEY_LINE.match(line) for line in DEFAULTS_FILE.read_text(encoding="utf-8").splitlines())
    return {match["key"]: (match["default"], match["meaning"]) for match in matches if match}


def help_text(command: str, purpose: str, width: int = 120) -> str:
    """Usage, purpose and the command's keys by section, in lines of at most `width` columns."""
    meanings = key_meanings()
    lines = [
        *_wrapped(f"usage: python {command}.py [--config_path RECIPE] [--key value | --key=value ...]", "", width),
        "",
        purpose.strip(),
        "",
        *_wrapped(
            "Precedence: defaults (config/defaults.yml) < recipe < command line. Booleans: 1 or true, 0 or false.",
            "",
            width,
        ),
        *_option("config_path", "recipe: a path, or the name of a file below config/", width),
        *_option("print_config", "print the resulting configuration, then stop", width),
        *_option("help", "print this page, then stop", width),
    ]
    for section in SECTIONS.values():
        keys = [field.name for field in fields(section) if matters(field.name, command)]
        lines += ["", f"{section.__doc__}:"] if keys else []
        for key in keys:
            default, meaning = meanings[key]
            lines += _option(key, f"{meaning} [{default}]", width)
    if command != "train":
        lines += ["", *_wrapped("python train.py --help lists the keys of all commands.", "", width)]
    return "\n".join(lines)


def matters(key: str, command: str) -> bool:
    """Whether a command's page lists the key; all are accepted everywhere, since recipes serve several commands."""
    return command not in COMMAND_KEYS or key in COMMAND_KEYS[command].split()


def _option(key: str, text: str, width: int) -> list[str]:
    return _wrapped(f"  --{key:<25} {text}", " " * 30, width)


def _wrapped(line: str, indent: str, width: int) -> list[str]:
    return textwrap.wrap(line, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def config_text(config: Config) -> str:
    """The configuration as YAML, usable as a recipe."""
    blocks = []
    for name, section in SECTIONS.items():
        values = {field.name: getattr(getattr(config, name), field.name) for field in fields(section)}
        blocks.append(f"# == {section.__doc__} ==\n" + yaml.safe_dump(values, sort_keys=False, allow_unicode=True))
    return "\n".join(blocks)
