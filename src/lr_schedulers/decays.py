"""Learning-rate decays after the warm-up.

Each function takes the span of the training and returns the rates of the steps `warmup_steps ... num_steps - 1` in
float64, shape (num_steps - warmup_steps,).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Span:
    """Number of steps of the whole training, of its warm-up and of one epoch."""

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


def steps(span: Span, *, lr_max: float) -> np.ndarray:
    """`lr_max`, a tenth, a hundredth, a thousandth of it from 30, 60 and 80 % of all steps on, warm-up counted.

    The mode of this name in lr_generator.py of the MindSpore model zoo; `step` takes epochs and a factor instead.
    """
    borders = np.array([0.3, 0.6, 0.8]) * span.num_steps
    return lr_max * 0.1 ** np.searchsorted(borders, span.steps(), side="right")


def cosine_restarts(span: Span, *, lr_max: float, lr_min: float, lr_period: float, lr_period_mult: float) -> np.ndarray:
    """Half cosines from `lr_max` to `lr_min`, the first of `lr_period` epochs, each `lr_period_mult` times the last.

    Loshchilov & Hutter, SGDR, arXiv 1608.03983, eq. 5 with T_0 and T_mult; the first begins after the warm-up.
    """
    position = np.arange(span.num_steps - span.warmup_steps)
    begins, lengths = [0.0], [lr_period * span.steps_per_epoch]
    while begins[-1] + lengths[-1] < len(position):
        begins.append(begins[-1] + lengths[-1])
        lengths.append(lengths[-1] * lr_period_mult)
    current = np.searchsorted(begins, position, side="right") - 1
    phase = (position - np.array(begins)[current]) / np.array(lengths)[current]
    return lr_min + (lr_max - lr_min) * (1 + np.cos(np.pi * phase)) / 2


def cosine_annealing(span: Span, *, lr_max: float, T_max: int, eta_min: float) -> np.ndarray:
    """A cosine that reaches `eta_min` after `T_max` epochs, warm-up counted, and rises again afterwards.

    As PyTorch's CosineAnnealingLR and the original ResNeXt152 training, but updated every step instead of every epoch.
    """
    phase = span.steps() / (T_max * span.steps_per_epoch)
    return eta_min + (lr_max - eta_min) * (1 + np.cos(np.pi * phase)) / 2


def polynomial(span: Span, *, lr_max: float, power: float) -> np.ndarray:
    """`lr_max * (1 - i / T) ** power` over the T steps after the warm-up (Chen et al., DeepLab v2, section 4.1)."""
    num_decay_steps = span.num_steps - span.warmup_steps
    return lr_max * (1 - np.arange(num_decay_steps) / num_decay_steps) ** power
