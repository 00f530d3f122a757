"""Length and learning rates of a run."""

import logging

import pytest

from src.config import read_config
from src.training.schedule import learning_rate_table, num_epochs, scale_learning_rates, schedule_change
from tests.support.commands import TINY
from tests.support.user_errors import message_of


def config(*words):
    return read_config(["--config_path", str(TINY), *map(str, words)]).config


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
    assert scale_learning_rates(config(*words), 64) == (config(*words), [])
    assert scale_learning_rates(config(), 64) == (config(), [])
    unscaled, notes = scale_learning_rates(config(*words), 16)
    assert unscaled == config(*words)
    assert [level for level, _ in notes] == [logging.WARNING]
    scaled, notes = scale_learning_rates(config(*words, "--scale_lr", 1), 32)
    schedule = scaled.schedule
    assert (schedule.lr_max, schedule.lr_min, schedule.lr_init) == (0.005, 0.002, 0.001)
    assert notes == [(logging.INFO, "scale_lr: lr_max 0.01 -> 0.005 (32 / 64 images)")]
    assert scale_learning_rates(scaled, 32) == (scaled, [])


def test_a_resumed_run_hears_how_its_schedule_changes():
    """Linear from 0.01 at step 4 to 0 at the last one, 4 steps an epoch."""
    linear = ("--lr_decay_mode", "linear")
    before = config(*linear).flat()
    assert schedule_change(before, config(*linear), 8, 4) == ""
    assert schedule_change(before, config(*linear, "--max_epoch", 8), 8, 4) == (
        "the learning-rate schedule has changed (4 -> 8 epochs): 0.00851852 at the next step (planned: 0.00636364), "
        "0 at the last step, 32"
    )
    assert schedule_change(before, config(*linear, "--max_epoch", 8), 16, 4) == (
        "the learning-rate schedule has changed (4 -> 8 epochs): 0.00555556 at the next step (planned: none, the run "
        "was complete), 0 at the last step, 32"
    )
    constant = ("--lr_decay_mode", "constant")
    assert schedule_change(config(*constant).flat(), config(*constant, "--max_epoch", 4, "--seed", 2), 8, 4) == ""
    assert schedule_change(before, config(*linear, "--max_epoch", 1), 8, 4) == ""  # nothing is left to train
