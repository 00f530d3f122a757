"""What a configuration means for one run: its length, its learning rates, and what the user should know."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

import numpy as np

from src.config import Config, Resolved, as_user_error
from src.config.effect import no_effect_on_task
from src.config.schema import KEY_TYPES
from src.lr_schedulers import check_schedule, learning_rates
from src.runtime.device import clamp_workers

Note = tuple[int, str]  # logging level, text


def num_epochs(config: Config, steps_per_epoch: int) -> int:
    """max_epoch, or num_steps rounded up to whole epochs."""
    if config.schedule.num_steps:
        return -(-config.schedule.num_steps // steps_per_epoch)
    return config.schedule.max_epoch


def scaled_to_batch(config: Config, global_batch: int) -> tuple[Config, list[Note]]:
    """The learning rates for this global batch: scaled if asked for, else as they stand with a warning."""
    schedule = config.schedule
    recipe = schedule.recipe_global_batch
    if not recipe or recipe == global_batch:
        return config, []
    factor = global_batch / recipe
    before, after = f"{schedule.lr_max:g}", f"{schedule.lr_max * factor:g}"
    if not schedule.scale_lr:
        text = f"the recipe is made for {recipe} images a step, this run has {global_batch}: "
        return config, [(logging.WARNING, text + f"--scale_lr 1 would scale lr_max {before} to {after}")]
    text = f"scale_lr: lr_max {before} -> {after} ({global_batch} / {recipe} images)"
    scaled = {name: getattr(schedule, name) * factor for name in ("lr_init", "lr_max", "lr_min")}
    done = replace(schedule, **scaled, scale_lr=False, recipe_global_batch=global_batch)
    return replace(config, schedule=done), [(logging.INFO, text)]


def check_learning_rates(config: Config, num_epochs: int) -> None:
    """UserError for a schedule that does not fit into this many epochs."""
    schedule = config.schedule
    with as_user_error(f"lr_decay_mode {schedule.lr_decay_mode}"):
        check_schedule(schedule.lr_decay_mode, num_epochs=num_epochs, warmup_epochs=schedule.warmup_epochs)


def learning_rate_table(config: Config, num_epochs: int, steps_per_epoch: int) -> np.ndarray:
    """The learning rate of every step, (num_epochs * steps_per_epoch,) float32.

    Raises:
        UserError: the schedule does not fit into this many epochs.
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
    """What a resumed run's learning rates are now, next to those it began with; "" when they are the same.

    Args:
        before: flat configuration of the interrupted run.
        num_steps: its steps so far.
    """
    planned = config.with_values(**{key: value for key, value in before.items() if key in KEY_TYPES})
    tables = [
        learning_rate_table(each, num_epochs(each, steps_per_epoch), steps_per_epoch) for each in (planned, config)
    ]
    old, new = (table[num_steps:] for table in tables)
    if np.array_equal(old, new) or not len(new):
        return ""
    epochs = [len(table) // steps_per_epoch for table in tables]
    was = f"{old[0]:g} as planned" if len(old) else "none, since the run was at its end"
    return (
        f"the schedule is another one ({epochs[0]} -> {epochs[1]} epochs): learning rate of the next step {new[0]:g} "
        f"(was {was}), of the last one {new[-1]:g} at step {len(tables[1])}"
    )


def silent_settings(resolved: Resolved, task: str) -> list[str]:
    """The user's settings that the task does not read or this machine cannot fulfil, said once."""
    notes, data, evaluation = no_effect_on_task(resolved.changed, task), resolved.config.data, resolved.config.eval
    for name, asked in (
        ("train_num_workers", data.train_num_workers),
        ("eval_num_workers", evaluation.eval_num_workers),
    ):
        if clamp_workers(asked) < asked:
            notes.append(f"{name}: {clamp_workers(asked)} of {asked}, this machine has no more cores")
    return notes


def likely_causes(config: Config) -> str:
    """What makes a loss infinite, as far as the configuration tells."""
    causes = [f"lr_max {config.schedule.lr_max:g} too high"]
    if config.run.amp_level != "O0" and config.loss.loss_scale == 1.0 and not config.loss.is_dynamic_loss_scale:
        causes.append(f"amp_level {config.run.amp_level} without a loss scale (--is_dynamic_loss_scale 1)")
    if config.optimizer.clip_global_norm == 0:
        causes.append("no gradient clipping (--clip_global_norm 5)")
    return ", ".join(causes)
