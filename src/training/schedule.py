"""Length and learning-rate schedule of a run, from its configuration."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

import numpy as np

from src.config import Config, as_user_error
from src.config.schema import KEY_TYPES
from src.lr_schedulers import check_schedule, learning_rates

Note = tuple[int, str]  # logging level, text


def num_epochs(config: Config, steps_per_epoch: int) -> int:
    """Epochs of the run: max_epoch, or num_steps rounded up to whole epochs."""
    if config.schedule.num_steps:
        return -(-config.schedule.num_steps // steps_per_epoch)
    return config.schedule.max_epoch


def scale_learning_rates(config: Config, global_batch: int) -> tuple[Config, list[Note]]:
    """Scale the learning rates linearly to the global batch size where scale_lr is on.

    Returns:
        (the configuration, notes for the log); without scale_lr the configuration is unchanged and a note warns of
        the difference.
    """
    schedule = config.schedule
    recipe = schedule.recipe_global_batch
    if not recipe or recipe == global_batch:
        return config, []
    factor = global_batch / recipe
    before, after = f"{schedule.lr_max:g}", f"{schedule.lr_max * factor:g}"
    if not schedule.scale_lr:
        text = f"the recipe is made for {recipe} images per step, this run uses {global_batch}: "
        return config, [(logging.WARNING, text + f"--scale_lr 1 would scale lr_max {before} to {after}")]
    text = f"scale_lr: lr_max {before} -> {after} ({global_batch} / {recipe} images)"
    scaled = {name: getattr(schedule, name) * factor for name in ("lr_init", "lr_max", "lr_min")}
    done = replace(schedule, **scaled, scale_lr=False, recipe_global_batch=global_batch)
    return replace(config, schedule=done), [(logging.INFO, text)]


def check_learning_rates(config: Config, num_epochs: int) -> None:
    """Raise UserError for a schedule whose warm-up is longer than the run."""
    schedule = config.schedule
    with as_user_error(f"lr_decay_mode {schedule.lr_decay_mode}"):
        check_schedule(schedule.lr_decay_mode, num_epochs=num_epochs, warmup_epochs=schedule.warmup_epochs)


def learning_rate_table(config: Config, num_epochs: int, steps_per_epoch: int) -> np.ndarray:
    """The learning rate of every step, (num_epochs * steps_per_epoch,) float32.

    Raises:
        UserError: the warm-up is longer than the run.
    """
    check_learning_rates(config, num_epochs)
    schedule = config.schedule
    return learning_rates(
        schedule.lr_decay_mode,
        lr_init=schedule.lr_init,
        lr_max=schedule.lr_max,
        lr_min=schedule.lr_min,
        num_epochs=num_epochs,
        warmup_epochs=schedule.warmup_epochs,
        steps_per_epoch=steps_per_epoch,
        lr_epochs=schedule.lr_epochs,
        lr_gamma=schedule.lr_gamma,
        T_max=schedule.T_max,
        eta_min=schedule.lr_min,
        power=schedule.lr_power,
        lr_period=schedule.lr_period,
        lr_period_mult=schedule.lr_period_mult,
    )


def schedule_change(before: dict[str, Any], config: Config, num_steps: int, steps_per_epoch: int) -> str:
    """Describe how the remaining learning rates of a resumed run differ from the original plan; "" if they do not.

    Args:
        before: flat configuration of the interrupted run.
        num_steps: steps completed so far.
    """
    planned = config.with_values(**{key: value for key, value in before.items() if key in KEY_TYPES})
    tables = [
        learning_rate_table(each, num_epochs(each, steps_per_epoch), steps_per_epoch) for each in (planned, config)
    ]
    old, new = (table[num_steps:] for table in tables)
    if np.array_equal(old, new) or not len(new):
        return ""
    epochs = [len(table) // steps_per_epoch for table in tables]
    planned_rate = f"planned: {old[0]:g}" if len(old) else "planned: none, the run was complete"
    return (
        f"the learning-rate schedule has changed ({epochs[0]} -> {epochs[1]} epochs): {new[0]:g} at the next step "
        f"({planned_rate}), {new[-1]:g} at the last step, {len(tables[1])}"
    )
