"""The lines that predict.py prints for a classification network."""

import numpy as np

from src.tasks.classification.prediction import table_lines
from src.visualization import Prediction

PICTURE = np.zeros((2, 2, 3), np.uint8)


def test_a_line_ends_with_its_last_word():
    """Neither a picture without labels nor one without runners-up leaves blanks at the end."""
    assert table_lines(
        [
            Prediction("a/1.png", PICTURE, [], [], None, "damaged"),
            Prediction("a/two.png", PICTURE, ["cat"], [1.0], None),
            Prediction("a/3.png", PICTURE, ["cat", "dog"], [0.75, 0.25], "dog"),
        ]
    ) == [
        "1.png    unreadable (damaged)",
        "two.png  cat 100.0%",
        "3.png    cat 75.0%         dog 25.0%   (is dog)",
    ]
