"""How long a training is."""

from __future__ import annotations

from src.config import Config


def num_epochs(config: Config, steps_per_epoch: int) -> int:
    """max_epoch, or num_steps rounded up to whole epochs."""
    if config.schedule.num_steps:
        return -(-config.schedule.num_steps // steps_per_epoch)
    return config.schedule.max_epoch
