"""Pixel counts and intersection over union."""

import numpy as np
import pytest

from src.metrics import ConfusionMatrix

LABELS = np.array([[0, 0, 1], [1, 255, 1]])
PREDICTIONS = np.array([[0, 1, 1], [1, 0, 0]])


def _matrix(num_classes=2):
    matrix = ConfusionMatrix(num_classes, ignore_label=255)
    matrix.update(PREDICTIONS, LABELS)
    return matrix


def test_counts_have_truth_in_rows_and_skip_the_ignored_label():
    assert _matrix().counts.tolist() == [[1, 1], [1, 2]]


def test_iou_of_each_class_and_their_mean():
    assert _matrix().iou().tolist() == [1 / 3, 2 / 4]
    assert _matrix().mean_iou() == pytest.approx(5 / 12)


def test_class_that_never_occurs_is_left_out_of_the_mean():
    matrix = _matrix(num_classes=3)
    assert np.isnan(matrix.iou()).tolist() == [False, False, True]
    assert matrix.mean_iou() == pytest.approx(5 / 12)


def test_batches_add_up_rather_than_average():
    matrix = ConfusionMatrix(2)
    matrix.update(np.array([0]), np.array([0]))
    matrix.update(np.array([1, 1, 1, 0]), np.array([1, 1, 0, 1]))
    assert matrix.iou().tolist() == [1 / 3, 2 / 4]


def test_states_of_ranks_sum():
    merged = ConfusionMatrix(2)
    merged.load_state(_matrix().state() + _matrix().state())
    assert merged.counts.tolist() == [[2, 2], [2, 4]]


def test_unknown_label_and_empty_matrix_are_refused():
    with pytest.raises(ValueError, match="label 255 is outside 0..1"):
        ConfusionMatrix(2).update(PREDICTIONS, LABELS)
    with pytest.raises(ValueError, match="no labelled pixel"):
        ConfusionMatrix(2).mean_iou()
