"""What a configuration means for a run."""

import logging

import pytest

from src.config import read_config
from src.training.plan import (
    learning_rate_table,
    likely_causes,
    num_epochs,
    scaled_to_batch,
    schedule_change,
    silent_settings,
)
from tests.support.commands import TINY
from tests.support.user_errors import message_of


def resolved(*words):
    return read_config(["--config_path", str(TINY), *map(str, words)])


def config(*words):
    return resolved(*words).config


@pytest.mark.parametrize(("num_steps", "epochs"), [(0, 4), (1, 1), (8, 2), (9, 3)])
def test_a_length_in_steps_is_rounded_up_to_epochs(num_steps, epochs):
    assert num_epochs(config("--num_steps", num_steps), steps_per_epoch=4) == epochs


def test_learning_rates_of_every_step():
    rates = learning_rate_table(config("--lr_decay_mode", "linear", "--lr_min", 0.002), 2, steps_per_epoch=5)
    assert rates.tolist() == pytest.approx([0.0, 0.002, 0.004, 0.006, 0.008, 0.01, 0.008, 0.006, 0.004, 0.002])
    message = message_of(learning_rate_table, config("--warmup_epochs", 9), 4, 4)
    assert message.startswith("lr_decay_mode cosine: a warm-up of 9.0 epochs is longer than the training (4)")


def test_rates_are_scaled_to_the_batch_on_request_and_once():
    words = ("--recipe_global_batch", 64, "--lr_min", 0.004, "--lr_init", 0.002)
    assert scaled_to_batch(config(*words), 64) == (config(*words), [])
    assert scaled_to_batch(config(), 64) == (config(), [])
    unscaled, notes = scaled_to_batch(config(*words), 16)
    assert unscaled == config(*words)
    assert [level for level, _ in notes] == [logging.WARNING]
    scaled, notes = scaled_to_batch(config(*words, "--scale_lr", 1), 32)
    schedule = scaled.schedule
    assert (schedule.lr_max, schedule.lr_min, schedule.lr_init) == (0.005, 0.002, 0.001)
    assert notes == [(logging.INFO, "scale_lr: lr_max 0.01 -> 0.005 (32 / 64 images)")]
    assert scaled_to_batch(scaled, 32) == (scaled, [])


def test_settings_without_effect_are_named():
    workers = ("--train_num_workers", 1, "--eval_num_workers", 1)
    assert silent_settings(resolved(*workers), "classification") == []
    notes = silent_settings(resolved("--train_num_workers", 999, "--eval_num_workers", 1), "classification")
    assert [note.split(":")[0] for note in notes] == ["train_num_workers"]
    assert "of 999" in notes[0]
    assert silent_settings(resolved(*workers, "--eval_flip", 1), "classification") == [
        "eval_flip=True has no effect on classification"
    ]


def test_causes_of_an_infinite_loss_fit_the_configuration():
    assert likely_causes(config("--lr_max", 3)) == "lr_max 3 too high"
    assert likely_causes(config("--amp_level", "O2", "--clip_global_norm", 0)) == (
        "lr_max 0.01 too high, amp_level O2 without a loss scale (--is_dynamic_loss_scale 1), "
        "no gradient clipping (--clip_global_norm 5)"
    )
    assert likely_causes(config("--amp_level", "O2", "--loss_scale", 128)) == "lr_max 0.01 too high"


def test_a_resumed_run_hears_how_its_schedule_changes():
    """Linear from 0.01 at step 4 to 0 at the last one, 4 steps an epoch."""
    linear = ("--lr_decay_mode", "linear")
    before = config(*linear).flat()
    assert schedule_change(before, config(*linear), 8, 4) == ""
    assert schedule_change(before, config(*linear, "--max_epoch", 8), 8, 4) == (
        "the schedule is another one (4 -> 8 epochs): learning rate of the next step 0.00851852 (was 0.00636364 as "
        "planned), of the last one 0 at step 32"
    )
    assert schedule_change(before, config(*linear, "--max_epoch", 8), 16, 4) == (
        "the schedule is another one (4 -> 8 epochs): learning rate of the next step 0.00555556 (was none, since the "
        "run was at its end), of the last one 0 at step 32"
    )
    constant = ("--lr_decay_mode", "constant")
    assert schedule_change(config(*constant).flat(), config(*constant, "--max_epoch", 4, "--seed", 2), 8, 4) == ""
    assert schedule_change(before, config(*linear, "--max_epoch", 1), 8, 4) == ""  # nothing is left to train
