"""What a configuration means for one run: its length, its learning rates, and what the user should know."""

from __future__ import annotations

import logging
from dataclasses import replace

import numpy as np

from src.config import Config, UserError
from src.lr_schedulers import learning_rates
from src.runtime.device import clamp_workers


def num_epochs(config: Config, steps_per_epoch: int) -> int:
    """max_epoch, or num_steps rounded up to whole epochs."""
    if config.schedule.num_steps:
        return -(-config.schedule.num_steps // steps_per_epoch)
    return config.schedule.max_epoch


def scaled_to_batch(config: Config, global_batch: int, logger: logging.Logger) -> Config:
    """The learning rates for this global batch: scaled if asked for, else as they stand with a warning."""
    schedule = config.schedule
    recipe = schedule.recipe_global_batch
    if not recipe or recipe == global_batch:
        return config
    factor = global_batch / recipe
    if not schedule.scale_lr:
        logger.warning(
            "the recipe is made for %d images a step, this run has %d: --scale_lr 1 would scale lr_max %g to %g",
            *(recipe, global_batch, schedule.lr_max, schedule.lr_max * factor),
        )
        return config
    logger.info(
        "scale_lr: lr_max %g -> %g (%d / %d images)", schedule.lr_max, schedule.lr_max * factor, global_batch, recipe
    )
    scaled = {name: getattr(schedule, name) * factor for name in ("lr_init", "lr_max", "lr_min")}
    return replace(config, schedule=replace(schedule, **scaled, scale_lr=False, recipe_global_batch=global_batch))


def learning_rate_table(config: Config, num_epochs: int, steps_per_epoch: int) -> np.ndarray:
    """The learning rate of every step; UserError for a schedule that cannot be."""
    schedule = config.schedule
    try:
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
        )
    except ValueError as error:
        raise UserError(f"lr_decay_mode {schedule.lr_decay_mode}: {error}") from None


def silent_settings(config: Config) -> list[str]:
    """Settings that have no effect in this run, said once."""
    augment, notes = config.augment, []
    off = {"autoaugment": "none", "color_jitter": 0.0, "mixup": 0.0, "cutmix": 0.0, "re_prob": 0.0}
    for name, value in off.items():
        if getattr(augment, name) != value:
            notes.append(f"{name}={getattr(augment, name)} is not available in this version: trained without it")
    for name in ("train_num_workers", "eval_num_workers"):
        wanted = getattr(config.data if name.startswith("train") else config.eval, name)
        if clamp_workers(wanted) < wanted:
            notes.append(f"{name}: {clamp_workers(wanted)} instead of {wanted}, this machine has no more cores")
    return notes


def likely_causes(config: Config) -> str:
    """What makes a loss infinite, as far as the configuration tells."""
    causes = [f"lr_max {config.schedule.lr_max:g} too high"]
    if config.run.amp_level != "O0" and config.loss.loss_scale == 1.0 and not config.loss.is_dynamic_loss_scale:
        causes.append(f"amp_level {config.run.amp_level} without a loss scale (--is_dynamic_loss_scale 1)")
    if config.optimizer.clip_global_norm == 0:
        causes.append("no gradient clipping (--clip_global_norm 5)")
    return ", ".join(causes)
