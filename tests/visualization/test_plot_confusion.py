"""Confusion matrices from two classes to a thousand."""

import warnings

import numpy as np
import pytest
from PIL import Image

from src.visualization import plot_confusion_matrix
from src.visualization.confusion import _title, compact, most_confused


def _confusion(num_classes):
    confusion = np.diag(np.full(num_classes, 50))
    confusion[0, -1] = 5
    return confusion


@pytest.mark.parametrize("num_classes", [2, 20, 21, 30, 31, 1000])
def test_every_number_of_classes_gives_a_readable_size(tmp_path, num_classes):
    names = [f"class of some length {i}" for i in range(num_classes)]
    plot_confusion_matrix(_confusion(num_classes), names, tmp_path / "confusion.png")
    width, height = Image.open(tmp_path / "confusion.png").size
    assert 450 < height < width < 1850


def test_two_classes_have_cells_of_the_size_of_six(tmp_path):
    heights = []
    for num_classes in (2, 6):
        plot_confusion_matrix(_confusion(num_classes), list("abcdef")[:num_classes], tmp_path / f"{num_classes}.png")
        heights.append(Image.open(tmp_path / f"{num_classes}.png").size[1])
    assert heights[1] - heights[0] == pytest.approx(4 * 0.62 * 130, abs=2)


def test_names_may_be_missing_chinese_or_full_of_dollars(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        plot_confusion_matrix(np.zeros((4, 4), int), ["金鱼", "$\\frac", "a_b"], tmp_path / "confusion.png")
    assert Image.open(tmp_path / "confusion.png").format == "PNG"


def test_most_confused_classes_come_in_pairs_and_in_order():
    confusion = np.diag(np.full(40, 50))
    confusion[30, 7] = 3
    confusion[7, 30] = 3
    confusion[35, 2] = 5
    confusion[1, 2] = 1
    assert most_confused(confusion, 4).tolist() == [2, 7, 30, 35]
    assert most_confused(confusion, 5).tolist() == [1, 2, 7, 30, 35]
    assert most_confused(np.zeros((1000, 1000), int)).tolist() == list(range(20))


def test_title_says_when_only_some_classes_are_drawn():
    assert _title(_confusion(10), 10) == "Accuracy 99.01% (500 of 505)"
    assert _title(_confusion(1000), 20) == (
        "The 20 most confused of 1,000 classes\nAccuracy 99.99% (50,000 of 50,005) over all"
    )


def test_counts_are_short():
    counts = (7, 9999, 54_457, 999_499, 2_846_651, 1_234_567_890)
    assert [compact(count) for count in counts] == ["7", "9999", "54k", "999k", "2.8M", "1.2G"]
