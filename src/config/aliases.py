"""Aliases: the original projects' names of keys and values, one table per project ("dialect").

Some names have different meanings in different projects (`data_url`, `load_path`, `data_dir`), so a table applies only
to its dialect, which the recipe or the selected network determines. An unambiguous name that is not a key of this
project is accepted everywhere.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from src.config.checks import as_written
from src.config.lookup import seed_of


@dataclass(frozen=True)
class Alias:
    """Meaning of a foreign key: the keys `targets` (none: it has no effect here, for `reason`)."""

    targets: tuple[str, ...] = ()
    words: dict[str, Any] = field(default_factory=dict)  # foreign value -> ours
    split: bool = False  # a list with one value per target
    convert: Callable[[Any], Any] | None = None
    reason: str = ""
    eval_target: str = ""  # the key for which it stands in eval.py, if different

    def settings(self, value: Any, command: str = "train") -> dict[str, Any]:
        """{key: value} for a value of this alias; ValueError for a value of the wrong form."""
        if command == "eval" and self.eval_target:
            return {self.eval_target: value}
        value = self.words.get(str(value).lower(), value)
        if self.convert:
            value = self.convert(value)
        if self.split:
            values = value.strip("[]() ").split(",") if isinstance(value, str) else value
            if not isinstance(values, list) or len(values) != len(self.targets):
                raise ValueError(f"must be a list of {len(self.targets)} values, not {as_written(value)}")
            return dict(zip(self.targets, values, strict=True))
        return dict.fromkeys(self.targets, value)


def _to(*targets: str, **options: Any) -> Alias:
    return Alias(targets, **options)


def _no_effect(reason: str) -> Alias:
    return Alias(reason=reason)


def _square_side(value: Any) -> Any:
    """The side of a square image, which the original projects write as '224,224' or [224, 224]."""
    sides = value.split(",") if isinstance(value, str) else value if isinstance(value, list) else [value]
    if len({str(side).strip() for side in sides}) != 1:
        raise ValueError(f"must be square, not {as_written(value)}")
    return sides[0]


_IMAGE_SIZE = _to("train_image_size", "eval_image_size", convert=_square_side)
_NETWORK_CLASS = _no_effect("the key backbone selects the network")
_LAUNCHER = _no_effect("the launcher assigns each process its rank")
_CONFIG_PATH = _to("config_path")
# eval.py's images are the validation images: `--data_dir ~/imagenet/val/`.
_DATA_DIR = _to("dataset_path", eval_target="eval_path")

# The policy is a flag in the original projects: 1 means AutoAugment.
POLICY_WORDS = {"0": "none", "1": "autoaugment", "false": "none", "true": "autoaugment", "": "none"}

DIALECTS: dict[str, dict[str, Alias]] = {
    "dgmn2_hlg": {
        "dgmn2_config_path": _NETWORK_CLASS,
        "hlg_config_path": _NETWORK_CLASS,
        "ckpt_file": _to("pretrained"),
    },
    "vig": {
        "vig_config": _CONFIG_PATH,
        "arch": _to("backbone"),
        "data_url": _to("dataset_path"),
        "set": _to("dataset", words={"imagenet": "image_folder"}),
        "num_classes": _to("class_num"),
        "mix_up": _to("mixup"),
        "auto_augment": _to("autoaugment", words=POLICY_WORDS),
        # The seed's table names the framework's AdamWeightDecay for what its YAML calls adamw.
        "optimizer": _to("opt", words={"adamw": "adamweightdecay"}),
        "base_lr": _to("lr_max"),
        "warmup_lr": _to("lr_init"),
        "min_lr": _to("lr_min"),
        "lr_scheduler": _to("lr_decay_mode", words={"cosine_lr": "cosine"}),
        "warmup_length": _to("warmup_epochs"),
        "image_size": _IMAGE_SIZE,
        "beta": _to("beta1", "beta2", split=True),
        "clip_global_norm_value": _to("clip_global_norm"),
        "epochs": _to("max_epoch"),
        "label_smoothing": _to("label_smooth_factor"),
        "num_parallel_workers": _to("train_num_workers", "eval_num_workers"),
    },
    "resnext152": {
        "data_dir": _DATA_DIR,
        "platform": _to("device_target"),
        "is_distributed": _to("run_distribute"),
        "image_size": _IMAGE_SIZE,
        "num_classes": _to("class_num"),
        "per_batch_size": _to("batch_size"),
        "lr": _to("lr_max"),
        "lr_scheduler": _to("lr_decay_mode"),
        "eta_min": _to("lr_min"),
        "label_smooth": _to("use_label_smooth"),
        "ckpt_interval": _to("save_checkpoint_steps"),
        "ckpt_path": _to("save_checkpoint_path"),
        "ckpt_file": _to("pretrained"),
        "is_save_on_master": _no_effect("only rank 0 writes"),
        "rank": _LAUNCHER,
        "group_size": _LAUNCHER,
    },
    "dgcnet": {
        "data_dir": _DATA_DIR,
        "restore_from": _to("pretrained"),
        "input_size": _to("train_image_size", convert=_square_side),
        "learning_rate": _to("lr_max"),
        "save_dir": _to("save_checkpoint_path"),
        "output_dir": _to("output"),
    },
    "convert": {
        "load_path": _to("input"),
        "save_path": _to("output"),
    },
}

# Values of the original projects for keys of the same name.
VALUE_WORDS: dict[str, dict[str, Any]] = {
    "autoaugment": POLICY_WORDS,
    "lr_decay_mode": {"cos": "cosine"},
    "loss_name": {"softtargetcrossentropy": "soft_target"},
}


def dialect_of(backbone: str) -> str:
    """The dialect of the network's original project; "" for a network without one."""
    return seed_of(backbone).get("dialect", "")


def dialect_written(names: set[str], own_keys: set[str]) -> str:
    """The dialect to which one of these names belongs and no other does; "" if there is none, or more than one."""
    tables = {dialect: set(table) - own_keys for dialect, table in DIALECTS.items()}
    found = [
        dialect
        for dialect, table in tables.items()
        if names & table.difference(*(other for name, other in tables.items() if name != dialect))
    ]
    return found[0] if len(found) == 1 else ""


def names_of(key: str) -> list[str]:
    """The key and its aliases in all dialects."""
    foreign = (name for table in DIALECTS.values() for name, alias in table.items() if alias.targets == (key,))
    return list(dict.fromkeys([key, *foreign]))


def aliases_for(dialect: str, own_keys: set[str]) -> dict[str, Alias]:
    """The dialect's table, and each name of the others that is not a key here and has the same meaning everywhere."""
    meanings: dict[str, list[Alias]] = {}
    for table in DIALECTS.values():
        for name, alias in table.items():
            meanings.setdefault(name, []).append(alias)
    common = {
        name: found[0]
        for name, found in meanings.items()
        if name not in own_keys and all(alias.targets == found[0].targets for alias in found)
    }
    return {**common, **DIALECTS.get(dialect, {})}
