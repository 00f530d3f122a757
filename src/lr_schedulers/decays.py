"""What the learning rate does after the warm-up.

Every function takes the span of training that it fills and returns the rates of the steps
`warmup_steps ... num_steps - 1` in float64, the precision in which the formulas are meant.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Span:
    """Steps of the whole training, of its warm-up and of one epoch."""

    num_steps: int
    warmup_steps: int
    steps_per_epoch: int

    def steps(self) -> np.ndarray:
        """Numbers of the steps after the warm-up, counted from the start of training."""
        return np.arange(self.warmup_steps, self.num_steps)

    def progress(self) -> np.ndarray:
        """0 at the first step after the warm-up, 1 at the last one, so that a decay ends ON its end value."""
        return np.linspace(0.0, 1.0, self.num_steps - self.warmup_steps)


def constant(span: Span, *, lr_max: float) -> np.ndarray:
    """`lr_max` throughout."""
    return np.full(len(span.steps()), lr_max)


def cosine(span: Span, *, lr_max: float, lr_min: float) -> np.ndarray:
    """Half a cosine from `lr_max` to exactly `lr_min` at the last step (Loshchilov & Hutter, SGDR, eq. 5)."""
    return lr_min + (lr_max - lr_min) * (1 + np.cos(np.pi * span.progress())) / 2


def linear(span: Span, *, lr_max: float, lr_min: float) -> np.ndarray:
    """A straight line from `lr_max` to exactly `lr_min` at the last step."""
    return lr_max + (lr_min - lr_max) * span.progress()


def exponential(span: Span, *, lr_max: float, lr_gamma: float) -> np.ndarray:
    """`lr_max` times `lr_gamma` for every epoch since the warm-up, falling smoothly with each step."""
    return lr_max * lr_gamma ** ((span.steps() - span.warmup_steps) / span.steps_per_epoch)


def step(span: Span, *, lr_max: float, lr_epochs: Sequence[int], lr_gamma: float) -> np.ndarray:
    """`lr_max` times `lr_gamma` for every epoch of `lr_epochs` that has been reached, warm-up counted."""
    epochs = span.steps() // span.steps_per_epoch
    return lr_max * lr_gamma ** np.searchsorted(np.sort(lr_epochs), epochs, side="right")


def cosine_annealing(span: Span, *, lr_max: float, T_max: int, eta_min: float) -> np.ndarray:
    """A cosine that reaches `eta_min` after `T_max` epochs, warm-up counted, and rises again afterwards.

    PyTorch's CosineAnnealingLR and the ResNeXt152 seed, but stepping every step instead of every epoch.
    """
    phase = span.steps() / (T_max * span.steps_per_epoch)
    return eta_min + (lr_max - eta_min) * (1 + np.cos(np.pi * phase)) / 2


def polynomial(span: Span, *, lr_max: float, power: float) -> np.ndarray:
    """`lr_max * (1 - i / T) ** power` over the T steps after the warm-up (Chen et al., DeepLab v2, section 4.1)."""
    num_decay_steps = span.num_steps - span.warmup_steps
    return lr_max * (1 - np.arange(num_decay_steps) / num_decay_steps) ** power
