"""Learning-rate table: a linear warm-up, then one of the decays by name."""

from collections.abc import Sequence

import numpy as np

from src.config.errors import unknown
from src.lr_schedulers import decays

# Each decay with the options that it reads.
SCHEDULES = {
    "constant": (decays.constant, ("lr_max",)),
    "cosine": (decays.cosine, ("lr_max", "lr_min")),
    "cosine_annealing": (decays.cosine_annealing, ("lr_max", "T_max", "eta_min")),
    "cosine_restarts": (decays.cosine_restarts, ("lr_max", "lr_min", "lr_period", "lr_period_mult")),
    "exp": (decays.exponential, ("lr_max", "lr_gamma")),
    "linear": (decays.linear, ("lr_max", "lr_min")),
    "poly": (decays.polynomial, ("lr_max", "power")),
    "step": (decays.step, ("lr_max", "lr_epochs", "lr_gamma")),
    "steps": (decays.steps, ("lr_max",)),
}


def check_schedule(name: str, *, num_epochs: int, warmup_epochs: float) -> None:
    """ValueError for an unknown name, or a warm-up longer than the training."""
    if name not in SCHEDULES:
        raise unknown("learning-rate schedule", name, SCHEDULES)
    if warmup_epochs > num_epochs:
        raise ValueError(
            f"a warm-up of {warmup_epochs} epochs is longer than the training ({num_epochs}): lower warmup_epochs"
        )


def learning_rates(
    name: str,
    *,
    lr_init: float,
    lr_max: float,
    lr_min: float,
    num_epochs: int,
    warmup_epochs: float,
    steps_per_epoch: int,
    lr_epochs: Sequence[int] = (),
    lr_gamma: float = 0.1,
    T_max: int | None = None,
    eta_min: float = 0.0,
    power: float = 0.9,
    lr_period: float = 10,
    lr_period_mult: float = 2,
) -> np.ndarray:
    """The learning rate of every step, float32 of shape (num_epochs * steps_per_epoch,).

    The warm-up rises linearly from `lr_init` at step 0 to `lr_max` at the first step after
    `warmup_epochs`; there the decay called `name` takes over. Each decay reads its own options:
    `cosine` and `linear` end on `lr_min`; `step` reads `lr_epochs` and `lr_gamma`; `exp` reads
    `lr_gamma` (per epoch); `cosine_annealing` reads `T_max` (epochs, default: all of them) and
    `eta_min`; `poly` reads `power`; `cosine_restarts` reads `lr_min`, `lr_period` (epochs of the first cosine)
    and `lr_period_mult` (at least 1).

    Raises:
        ValueError: see `check_schedule`.
    """
    check_schedule(name, num_epochs=num_epochs, warmup_epochs=warmup_epochs)
    span = decays.Span(num_epochs * steps_per_epoch, round(warmup_epochs * steps_per_epoch), steps_per_epoch)
    options = {
        "lr_max": lr_max,
        "lr_min": lr_min,
        "lr_epochs": lr_epochs,
        "lr_gamma": lr_gamma,
        "T_max": T_max or num_epochs,
        "eta_min": eta_min,
        "power": power,
        "lr_period": lr_period,
        "lr_period_mult": lr_period_mult,
    }
    decay, keys = SCHEDULES[name]
    warmup = np.linspace(lr_init, lr_max, span.warmup_steps, endpoint=False)
    return np.concatenate([warmup, decay(span, **{key: options[key] for key in keys})]).astype(np.float32)
