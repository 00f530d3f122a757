"""Configuration reader for three layers: config/defaults.yml < recipe file < command line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any

from src.config.aliases import VALUE_WORDS, Alias, aliases_for, dialect_of, dialect_written, names_of
from src.config.checks import TRUE_WORDS, convert, path_text
from src.config.effect import no_effect_in_command
from src.config.errors import UserError, did_you_mean
from src.config.inherited import inherited_values
from src.config.lookup import (
    CONFIG_ROOT,
    dialect_of_dataset,
    dialect_recipe,
    find_config,
    seed_of,
    seed_recipe,
    shown,
)
from src.config.marks import FLAG, MANY, PATH, marks_of
from src.config.schema import KEY_TYPES, Config, keys_marked
from src.config.yaml_file import yaml_lines

DEFAULTS_FILE = CONFIG_ROOT / "defaults.yml"
COMMAND_LINE = "command line"


@dataclass(frozen=True)
class Setting:
    """One `key: value` with its origin."""

    key: str
    value: Any
    origin: str  # "config/<model>/x.yml:12" or "command line"
    alias: str = ""  # the name written by the user, if it differs from the key

    def described(self) -> str:
        """The key with its origin, for messages."""
        name = self.alias or self.key
        return f"--{name}" if self.origin == COMMAND_LINE else f"{self.origin}: {name}"


@dataclass(frozen=True)
class Resolved:
    """A configuration with the origins of its values and notes for the user."""

    config: Config
    recipe: str  # stem of the recipe file: the run's name by default
    notes: tuple[str, ...]
    origins: dict[str, str]  # origin of each key that the recipe or the command line sets
    changed: dict[str, Any]  # of these keys, those whose value differs from the default
    checkpoint: Any = None  # the result of `open_checkpoint`, if the configuration comes from a checkpoint
    assumed: str = ""  # the recipe that was taken because the command line names none; "" if it does

    @property
    def given(self) -> frozenset[str]:
        """Keys that the recipe or the command line sets."""
        return frozenset(self.origins)


def read_config(
    argv: list[str],
    command: str = "train",
    open_checkpoint: Callable[[str], Any] | None = None,
    network_names: Callable[[], Sequence[str]] | None = None,
) -> Resolved:
    """Resolve a command line.

    Args:
        argv: arguments without the program's name.
        command: train, eval, export, predict or convert (`--data_dir` names different images in eval and train).
        open_checkpoint: reads a checkpoint, whose `meta["config"]` is a flat configuration; used if `--pretrained` is
            given without a recipe.
        network_names: returns the known networks, to suggest the nearest one for an unknown network.

    Raises:
        UserError: unknown key, wrong type, value out of range, two names of one key, a missing or ambiguous file.
    """
    arguments = parse_arguments(argv)
    checkpoint = _open_named(arguments, command, open_checkpoint)
    recipe_path, inherited, notes = _base_layer(arguments, command, checkpoint, network_names, open_checkpoint)
    file_settings = read_settings(recipe_path) if recipe_path else []
    dialect = _dialect(arguments, file_settings, inherited)
    unsaid, unsaid_notes = _unsaid(file_settings, dialect, recipe_path)
    dialect, notes = dialect or dialect_of(str(unsaid.get("backbone", ""))), notes + unsaid_notes
    reader = _Reader(command, in_cloud=_is_cloud_job(arguments) or _is_cloud_job(file_settings))

    defaults = {setting.key: setting.value for setting in read_settings(DEFAULTS_FILE)}
    # In convert.py, too, a recipe uses its network's dialect: its load_path is not the weights file to convert.
    argument_dialect = "convert" if command == "convert" else dialect
    given = reader.resolve(file_settings, dialect) | reader.resolve(arguments, argument_dialect)
    given.pop("config_path", None)
    values = {**defaults, **unsaid, **inherited, **{key: setting.value for key, setting in given.items()}}
    flat = {key: _converted(key, value, given) for key, value in values.items()}
    config = Config.from_flat(flat)
    changed = {key: flat[key] for key in given if flat[key] != _converted(key, defaults[key], {})}
    from_arguments = {key: value for key, value in changed.items() if given[key].origin == COMMAND_LINE}
    recipe = recipe_path.stem if recipe_path else config.run.name or config.model.backbone
    notes += [*reader.notes, *no_effect_in_command(from_arguments, command, config.cloud.enable_modelarts)]
    origins = {key: setting.origin for key, setting in given.items()}
    assumed = shown(recipe_path) if recipe_path and _argument(arguments, "config_path") is None else ""
    return Resolved(config, recipe, tuple(notes), origins, changed, checkpoint, assumed)


def parse_arguments(argv: list[str]) -> list[Setting]:
    """`--key value` and `--key=value` as settings; a key marked FLAG needs no value, one marked MANY may have several.

    Several values are joined by line ends.
    """
    settings, position, flags, several = [], 0, keys_marked(FLAG), keys_marked(MANY)
    while position < len(argv):
        word = argv[position]
        if not word.startswith("--") or len(word) == 2:
            raise UserError(f"unexpected argument {word!r}: options are written --key value (see --help)")
        key, equals, value = word[2:].partition("=")
        following = argv[position + 1] if position + 1 < len(argv) else None
        if not equals:
            if following is None or (following.startswith("--") and len(following) > 2):
                if key not in flags | {"help"}:
                    raise UserError(f"--{key} needs a value: --{key} VALUE (see --help)")
                value = "1"
            else:
                value, position = following, position + 1
                if key in several:
                    more = list(takewhile(lambda other: not other.startswith("--"), argv[position + 1 :]))
                    value, position = "\n".join([value, *more]), position + len(more)
        settings.append(Setting(key.replace("-", "_"), value, COMMAND_LINE))
        position += 1
    return settings


def read_settings(path: Path) -> list[Setting]:
    """The top-level keys of a YAML file with their line numbers; UserError if it cannot be read."""
    place = shown(path)
    return [Setting(key, value, f"{place}:{line}") for key, value, line in yaml_lines(path, place)]


def _open_named(arguments: list[Setting], command: str, open_checkpoint: Callable[[str], Any] | None) -> Any:
    """The checkpoint that provides the configuration; None if a recipe is given, and for training."""
    path = _argument(arguments, "pretrained")
    wanted = command in ("eval", "export", "predict") and _argument(arguments, "config_path") is None
    return open_checkpoint(path) if path and open_checkpoint and wanted else None


def _argument(arguments: list[Setting], key: str) -> str | None:
    """The value of a key on the command line, under any of its names; None if it is not given."""
    by_name = {setting.key: str(setting.value) for setting in arguments}
    value = next((by_name[name] for name in names_of(key) if name in by_name), None)
    try:
        return path_text(value) if value and (key == "config_path" or PATH in marks_of(KEY_TYPES[key])) else value
    except ValueError as error:
        raise UserError(f"--{key} {error}") from None


def _base_layer(
    arguments: list[Setting],
    command: str,
    checkpoint: Any,
    network_names: Callable[[], Sequence[str]] | None,
    open_checkpoint: Callable[[str], Any] | None,
) -> tuple[Path | None, dict[str, Any], list[str]]:
    """The layer below the command line: (recipe file, configuration inherited from a checkpoint, notes)."""
    recipe = _argument(arguments, "config_path")
    if recipe is not None:
        path = find_config(recipe, lambda: _network_of(arguments, open_checkpoint))
        return path, {}, [f"configuration {shown(path)}"]
    if checkpoint is not None and checkpoint.meta["config"]:
        return None, *inherited_values(checkpoint.meta["config"], _argument(arguments, "pretrained"))
    if command == "convert":  # no published weights use the preprocessing of a recipe
        return None, {}, []
    backbone = _argument(arguments, "backbone")
    if backbone and network_names and not seed_of(backbone):
        _check_network(backbone, network_names())
    written = dialect_written({setting.key for setting in arguments}, set(KEY_TYPES))
    path = seed_recipe(backbone, dialect_of_dataset(_argument(arguments, "dataset")) or written)
    return path, {}, [f"no --config_path given: configuration {shown(path)}"]


def _network_of(arguments: list[Setting], open_checkpoint: Callable[[str], Any] | None) -> str:
    """The network that the command line or its checkpoint names, "" if none."""
    backbone, path = _argument(arguments, "backbone"), _argument(arguments, "pretrained")
    if backbone or not (path and open_checkpoint):
        return backbone or ""
    return open_checkpoint(path).meta["config"].get("backbone", "")


def _unsaid(from_file: list[Setting], dialect: str, path: Path | None) -> tuple[dict[str, Any], list[str]]:
    """What a seed's code fixed, for a file with options of that seed only: values, and a line for the log."""
    written = dialect_written({setting.key for setting in from_file}, set(KEY_TYPES))
    found = dialect_recipe(written)
    if found is None or dialect not in ("", written) or path == found[0]:
        return {}, []
    recipe, keys = found
    settings = _Reader("train", in_cloud=False).resolve(read_settings(recipe), written)
    values = {key: settings[key].value for key in settings if key in keys}
    said = {setting.key for setting in from_file}
    return values, [f"{', '.join(sorted(set(values) - said))} as in {shown(recipe)}: {shown(path)} has its options"]


def _check_network(backbone: str, known: Sequence[str]) -> None:
    if backbone not in known:
        nearest = did_you_mean(backbone, known, otherwise="--list_models 1 prints the networks")
        raise UserError(f"backbone: unknown network {backbone!r}: {nearest}")


def _dialect(arguments: list[Setting], from_file: list[Setting], inherited: dict[str, Any]) -> str:
    for settings in (arguments, from_file):
        for setting in settings:
            if setting.key in names_of("backbone"):
                return dialect_of(str(setting.value))
    return dialect_of(str(inherited.get("backbone", "")))


def _is_cloud_job(settings: list[Setting]) -> bool:
    return any(setting.key == "enable_modelarts" and str(setting.value).lower() in TRUE_WORDS for setting in settings)


class _Reader:
    """Translates aliases into keys and collects notes for the user.

    Args:
        in_cloud: of unknown arguments, which the platform adds, only a note is made.
    """

    def __init__(self, command: str, in_cloud: bool):
        self.command, self.in_cloud = command, in_cloud
        self.notes: list[str] = []

    def resolve(self, settings: Sequence[Setting], dialect: str) -> dict[str, Setting]:
        """{key: setting}; UserError for an unknown key and for two names of one key."""
        keys = {setting.key for setting in settings}
        # A key that the dialect uses for a different one (data_url) keeps its own meaning if that other key is also
        # given, as in a run folder's config.yml.
        aliases = {
            name: alias
            for name, alias in aliases_for(dialect, set(KEY_TYPES)).items()
            if name not in KEY_TYPES or keys.isdisjoint(alias.targets)
        }
        resolved: dict[str, Setting] = {}
        for setting in settings:
            for translated in self._translate(setting, aliases):
                earlier = resolved.get(translated.key)
                if earlier is not None:
                    raise UserError(
                        f"{translated.described()} and {earlier.described()} both set {translated.key}: keep one"
                    )
                resolved[translated.key] = translated
        return resolved

    def _translate(self, setting: Setting, aliases: dict[str, Alias]) -> list[Setting]:
        alias = aliases.get(setting.key)
        if alias is None:
            if setting.key not in KEY_TYPES and setting.key != "config_path":
                unknown = f"{setting.described()} is not a configuration key: {_nearest(setting.key, aliases)}"
                if not (self.in_cloud and setting.origin == COMMAND_LINE):
                    raise UserError(unknown)
                self.notes.append(f"ignored, since the platform adds arguments of its own: {unknown}")
                return []
            return [Setting(setting.key, _in_our_words(setting.key, setting.value), setting.origin)]
        if not alias.targets:
            self.notes.append(f"{setting.described()} has no effect here: {alias.reason}")
        try:
            values = alias.settings(setting.value, self.command)
        except ValueError as error:
            raise UserError(f"{setting.described()} {error}") from None
        return [Setting(key, _in_our_words(key, value), setting.origin, setting.key) for key, value in values.items()]


def _in_our_words(key: str, value: Any) -> Any:
    return VALUE_WORDS.get(key, {}).get(str(value).lower(), value)


def _nearest(key: str, aliases: dict[str, Alias]) -> str:
    return did_you_mean(key, [*KEY_TYPES, *aliases, "config_path"], otherwise="see --help for all keys")


def _converted(key: str, value: Any, given: dict[str, Setting]) -> Any:
    try:
        return convert(value, KEY_TYPES[key])
    except ValueError as error:
        where = given[key].described() if key in given else f"{DEFAULTS_FILE.name}: {key}"
        raise UserError(f"{where} {error}") from None
