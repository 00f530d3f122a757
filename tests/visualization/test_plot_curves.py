"""Learning curves of full, sparse and single-epoch runs."""

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from src.visualization import plot_curves, plot_learning_rate
from src.visualization.curves import _draw_scores, _series

RECORDS = [
    {"epoch": 1, "step": 10, "loss": 2.0, "lr": 0.1, "top1": None, "top5": None, "eval_loss": None},
    {"epoch": 2, "step": 20, "loss": 1.0, "lr": 0.05, "top1": 0.5, "top5": 0.9, "eval_loss": 1.5},
    {"epoch": 3, "step": 30, "loss": float("nan"), "lr": 0.02, "top1": 0.75, "top5": 0.95, "eval_loss": 1.2},
    {"epoch": 4, "step": 40, "loss": 0.5, "lr": 0.0, "top1": 0.75, "top5": 0.97, "eval_loss": 1.1},
    {"epoch": 5, "step": 50, "loss": 0.4, "lr": 0.0},
]
CURVES = {"top1": "of one", "top5": "of five"}


def test_series_has_only_epochs_with_a_finite_value():
    assert _series(RECORDS, "loss") == ([1, 2, 4, 5], [2.0, 1.0, 0.5, 0.4])
    assert _series(RECORDS, "top1", scale=100) == ([2, 3, 4], [50.0, 75.0, 75.0])
    assert _series(RECORDS, "absent") == ([], [])


def test_first_of_the_best_epochs_is_marked_with_its_value():
    axes = Figure().subplots()
    _draw_scores(axes, RECORDS, CURVES, "top1")
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert labels == ["of five", "of one", "best 75.00% (epoch 3)"]
    assert axes.lines[-1].get_xydata().tolist() == [[3.0, 75.0]]


def test_a_line_at_100_percent_does_not_squeeze_the_score():
    axes = Figure().subplots()
    _draw_scores(axes, [{**record, "top5": 1.0} for record in RECORDS], CURVES, "top1")
    assert [text.get_text() for text in axes.get_legend().get_texts()][0] == "of one"
    assert axes.get_ylim()[1] < 80


@pytest.mark.parametrize("num_epochs", [1, 5])
def test_curves_are_three_panels_wide(tmp_path, num_epochs):
    plot_curves(RECORDS[:num_epochs], tmp_path / "curves.png", CURVES, "top1")
    assert Image.open(tmp_path / "curves.png").size == (1690, 507)


def test_run_without_epochs_is_refused(tmp_path):
    with pytest.raises(ValueError, match="after the first epoch"):
        plot_curves([], tmp_path / "curves.png", CURVES, "top1")


def test_learning_rate_of_many_steps(tmp_path):
    plot_learning_rate(np.linspace(1.0, 0.0, 100_000), 2502, tmp_path / "lr.png")
    assert Image.open(tmp_path / "lr.png").size == (975, 494)
