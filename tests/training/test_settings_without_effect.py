"""Settings that have no effect in a run are reported."""

from src.config import read_config
from src.runtime.device import clamp_workers
from src.training.trainer import settings_without_effect
from tests.support.commands import TINY


def resolved(*words):
    return read_config(["--config_path", str(TINY), *map(str, words)])


def test_settings_without_effect_are_named():
    workers = ("--train_num_workers", 1, "--eval_num_workers", 1)
    assert settings_without_effect(resolved(*workers), "classification") == []
    notes = settings_without_effect(resolved("--train_num_workers", 999, "--eval_num_workers", 1), "classification")
    assert notes == [f"train_num_workers 999: {clamp_workers(999)}, the number of cores of this machine"]
    assert settings_without_effect(resolved(*workers, "--eval_flip", 1), "classification") == [
        "eval_flip=True has no effect on classification"
    ]
