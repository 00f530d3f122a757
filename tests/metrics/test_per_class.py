"""The table of classes and its CSV file."""

import numpy as np
import pytest

from src.metrics import ClassificationResult, ClassRow, write_per_class_csv

CONFUSION = np.array([[6, 1, 2, 0], [0, 5, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]])


def _rows(class_names):
    result = ClassificationResult(14, 11 / 14, 1.0, 11, 14, 0.4, CONFUSION)
    return result.per_class(class_names)


def test_rows_follow_the_names_and_leave_out_nameless_classes():
    assert _rows(["cat", "dog", "猫"]) == [
        ClassRow("cat", 9, 6, 6 / 9, 1.0, "猫"),
        ClassRow("dog", 5, 5, 1.0, 5 / 6, ""),
        ClassRow("猫", 0, 0, None, 0.0, ""),
    ]


def test_error_into_a_nameless_class_is_called_by_its_index():
    assert _rows(["cat", "dog"])[0].most_confused_with == "class 2"


def test_more_names_than_classes_are_refused():
    with pytest.raises(ValueError, match="5 class names for 4 classes"):
        _rows(list("abcde"))


def test_csv_is_utf8_with_empty_cells_for_what_is_undefined(tmp_path):
    path = tmp_path / "per_class.csv"
    write_per_class_csv(path, _rows(["cat, the", "dog", "猫", "d"]))
    assert path.read_text(encoding="utf-8").splitlines() == [
        "class,images,correct,accuracy,precision,most_confused_with",
        '"cat, the",9,6,0.666667,1.000000,猫',
        "dog,5,5,1.000000,0.833333,",
        "猫,0,0,,0.000000,",
        "d,0,0,,,",
    ]
