"""Learning curves of a training: loss, score and learning rate per epoch."""

from collections.abc import Mapping, Sequence
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from .canvas import BLUE, GRAY, GREEN, ORANGE, canvas

MAX_MARKED_POINTS = 40  # beyond, markers merge into a thick line


def plot_curves(
    records: Sequence[dict[str, Any]], path: str | Path, curves: Mapping[str, str], score_name: str
) -> None:
    """Draw loss, score (the best one marked) with other fractions, and learning rate, one point per epoch.

    Args:
        records: one dict per finished epoch with `epoch` (from 1), `loss`, `lr` and, if the epoch was evaluated, the
            keys of `curves` (fractions) and `eval_loss`; None means missing.
        path: the PNG file.
        curves: {key: name in the legend}.
        score_name: the key of `curves` whose best value is marked.

    Raises:
        ValueError: there is no record.
    """
    if not records:
        raise ValueError("no epoch to draw: plot the curves after the first epoch")
    with canvas(path, width=13, height=3.9) as figure:
        loss, score, learning_rate = figure.subplots(1, 3, sharex=True)
        _draw_losses(loss, records)
        _draw_scores(score, records, curves, score_name)
        _draw_series(learning_rate, *_series(records, "lr"), BLUE, "")
        learning_rate.set_title("Learning rate (end of epoch)")
        learning_rate.set_ylim(bottom=0)
        for axes in (loss, score, learning_rate):
            _scale_epochs(axes, records[0]["epoch"], records[-1]["epoch"])


def _draw_losses(axes: Axes, records: Sequence[dict[str, Any]]) -> None:
    axes.set_title("Loss")
    _draw_series(axes, *_series(records, "loss"), BLUE, "training")
    _draw_series(axes, *_series(records, "eval_loss"), ORANGE, "evaluation")
    axes.legend()


def _draw_scores(axes: Axes, records: Sequence[dict[str, Any]], curves: Mapping[str, str], score_name: str) -> None:
    axes.set_title(f"{curves[score_name]} (%)")
    epochs, values = _series(records, score_name, scale=100)
    if not epochs:
        axes.text(0.5, 0.5, "not evaluated yet", transform=axes.transAxes, ha="center", color=GRAY)
        axes.set_yticks([])
        axes.grid(False)
        return
    others = [name for name in curves if name != score_name and not _always_full(records, name)]
    for name, color in zip(others, (ORANGE, GRAY, "tab:purple"), strict=False):
        _draw_series(axes, *_series(records, name, scale=100), color, curves[name])
    _draw_series(axes, epochs, values, BLUE, curves[score_name])
    best = int(np.argmax(values))
    axes.plot(
        epochs[best], values[best], "*", color=GREEN, markersize=13, markeredgecolor="white", zorder=3,
        label=f"best {values[best]:.2f}% (epoch {epochs[best]})", clip_on=False,
    )  # fmt: skip
    axes.legend()


def _always_full(records: Sequence[dict[str, Any]], key: str) -> bool:
    """Whether a fraction is 1 in every record (top-5 of few classes): its line would only squeeze the score's."""
    return set(_series(records, key)[1]) <= {1.0}


def _series(records: Sequence[dict[str, Any]], key: str, scale: float = 1) -> tuple[list[int], list[float]]:
    """Epochs and values of the records that have a finite value under `key`."""
    points = [(r["epoch"], r[key] * scale) for r in records if r.get(key) is not None and isfinite(r[key])]
    return [epoch for epoch, _ in points], [value for _, value in points]


def _draw_series(axes: Axes, epochs: list[int], values: list[float], color: str, label: str) -> None:
    if epochs:
        marker = "o" if len(epochs) <= MAX_MARKED_POINTS else None
        axes.plot(epochs, values, color=color, marker=marker, markersize=3.5, label=label)


def _scale_epochs(axes: Axes, first: float, last: float) -> None:
    margin = max(0.02 * (last - first), 0.5)
    axes.set_xlim(first - margin, last + margin)
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True, min_n_ticks=1))


def plot_learning_rate(values: Sequence[float], steps_per_epoch: int, path: str | Path) -> None:
    """Draw a learning-rate schedule.

    Args:
        values: the learning rate of each step.
        steps_per_epoch: scale of the horizontal axis, which is in epochs.
        path: the PNG file.
    """
    values = np.asarray(values, np.float64)
    epochs = np.arange(1, len(values) + 1) / steps_per_epoch
    with canvas(path, width=7.5, height=3.8) as figure:
        axes = figure.subplots()
        axes.plot(epochs, values, color=BLUE)
        axes.set_title(
            f"Learning rate over {len(values):,} steps: "
            f"first {values[0]:.3g}, highest {values.max():.3g}, last {values[-1]:.3g}"
        )
        axes.set_ylim(bottom=0)
        _scale_epochs(axes, 0, epochs[-1])
