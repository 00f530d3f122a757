"""Pictures appear whole, in the house's style, and the user's own settings stay."""

import matplotlib
import numpy as np
import pytest
from PIL import Image

from src.visualization import plot_confusion_matrix
from src.visualization.canvas import INK, STYLE, canvas, shorten


def test_failed_drawing_leaves_no_file(tmp_path):
    with pytest.raises(RuntimeError), canvas(tmp_path / "a.png", 1, 1):
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_size_is_inches_times_resolution(tmp_path):
    with canvas(tmp_path / "a.png", 2, 1) as figure:
        figure.subplots()
    assert Image.open(tmp_path / "a.png").size == (260, 130)


def test_style_ends_with_the_drawing(tmp_path):
    before = {key: matplotlib.rcParams[key] for key in STYLE}
    with canvas(tmp_path / "a.png", 1, 1, layout=None):
        assert matplotlib.rcParams["text.color"] == INK
    assert {key: matplotlib.rcParams[key] for key in STYLE} == before


def test_long_names_are_cut_to_one_line():
    assert shorten("daisy", 5) == "daisy"
    assert shorten("a daisy\n chain", 20) == "a daisy chain"
    assert shorten("a daisy chain", 9) == "a daisy…"


def test_a_name_that_cannot_be_drawn_is_drawn_escaped(tmp_path):
    assert shorten("odd\udcff \x1b[2J", 40) == r"odd\udcff \x1b[2J"
    plot_confusion_matrix(np.eye(2, dtype=int), ["odd\udcff", "$\x07"], tmp_path / "confusion.png")
    assert (tmp_path / "confusion.png").stat().st_size > 1000
