"""Pictures appear whole, in the house's style, and the user's own settings stay."""

import matplotlib
import numpy as np
import pytest
from PIL import Image

from src.runtime.logs import get_logger
from src.visualization import plot_confusion_matrix
from src.visualization.canvas import INK, STYLE, _report_boxes, canvas, shorten


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


def test_a_character_that_no_font_has_is_reported_once(tmp_path, monkeypatch):
    messages = []
    monkeypatch.setattr(get_logger(), "warning", messages.append)
    monkeypatch.setattr("src.visualization.canvas._font_families", lambda: ["DejaVu Sans"])
    _report_boxes.cache_clear()
    for _ in range(2):
        plot_confusion_matrix(np.eye(2, dtype=int), ["金鱼", "cat"], tmp_path / "confusion.png")
    assert len(messages) == 1
    assert "fonts-noto-cjk" in messages[0]
    _report_boxes.cache_clear()
