"""Accuracies, loss and confusions of small batches worked out by hand."""

import math

import numpy as np
import pytest

from src.metrics import ClassificationMetric

LOGITS = np.array(
    [
        [0.0, 9.0, 8.0, 7.0, 6.0, 5.0],  # truth 1: right
        [0.0, 9.0, 8.0, 7.0, 6.0, 5.0],  # truth 5: fifth
        [0.0, 9.0, 8.0, 7.0, 6.0, 5.0],  # truth 0: last
        [9.0, 0.0, 0.0, 0.0, 0.0, 1.0],  # padding
    ],
    np.float32,
)
LABELS = np.array([1, 5, 0, -7])
WEIGHTS = np.array([1.0, 1.0, 1.0, 0.0])


def _result(logits, labels, weights=None, num_classes=None):
    metric = ClassificationMetric(num_classes or np.shape(logits)[1])
    metric.update(np.asarray(logits), np.asarray(labels), weights)
    return metric.compute()


def test_accuracies_count_images_and_skip_padding():
    result = _result(LOGITS, LABELS, WEIGHTS)
    assert (result.num_images, result.num_correct, result.num_correct_top5) == (3, 1, 2)
    assert result.top1 == 1 / 3
    assert result.top5 == 2 / 3
    assert result.confusion.dtype == np.int64
    assert np.argwhere(result.confusion).tolist() == [[0, 1], [1, 1], [5, 1]]


def test_padding_may_hold_anything():
    logits = LOGITS.copy()
    logits[3] = np.nan
    assert _result(logits, LABELS, WEIGHTS).loss == _result(LOGITS, LABELS, WEIGHTS).loss


def test_loss_is_the_mean_cross_entropy():
    assert _result([[0.0, 0.0], [0.0, math.log(3)]], [0, 1]).loss == pytest.approx(
        (math.log(2) + math.log(4 / 3)) / 2, rel=1e-12
    )


def test_loss_of_large_logits_is_finite():
    assert _result([[10000.0, 0.0], [-10000.0, 0.0]], [1, 0]).loss == 10000.0


@pytest.mark.parametrize(("label", "num_correct", "num_correct_top5"), [(0, 1, 1), (1, 0, 1), (4, 0, 1), (5, 0, 0)])
def test_equal_logits_rank_by_class_index(label, num_correct, num_correct_top5):
    result = _result(np.zeros((1, 7)), [label])
    assert (result.num_correct, result.num_correct_top5) == (num_correct, num_correct_top5)
    assert result.confusion[label, 0] == 1


def test_fewer_than_five_classes_make_top5_the_number_of_classes():
    result = _result([[3.0, 2.0, 1.0]], [2])
    assert (result.top1, result.top5) == (0.0, 1.0)


@pytest.mark.parametrize("logits", [[np.nan, 0.0, 5.0], [0.0, 0.0, np.nan], [np.nan] * 3])
@pytest.mark.parametrize("label", [0, 2])
def test_nan_is_wrong_everywhere(logits, label):
    result = _result([logits], [label])
    assert (result.num_images, result.num_correct, result.num_correct_top5) == (1, 0, 0)
    assert result.confusion.sum() == 1
    assert math.isnan(result.loss)


def test_state_of_two_ranks_adds_up_to_one_process():
    rng = np.random.default_rng(3)
    logits, labels = rng.normal(size=(50, 12)).astype(np.float32), rng.integers(0, 12, 50)
    first, second, merged = (ClassificationMetric(12) for _ in range(3))
    first.update(logits[:20], labels[:20])
    second.update(logits[20:], labels[20:])
    merged.merge([first.state(), second.state()])
    result, expected = merged.compute(), _result(logits, labels)
    assert first.state().shape == (2 + 12 * 12,)
    assert first.state().dtype == np.float64
    assert (result.num_images, result.num_correct) == (50, expected.num_correct)
    assert result.num_correct_top5 == expected.num_correct_top5
    assert result.loss == pytest.approx(expected.loss, rel=1e-12)
    assert np.array_equal(result.confusion, expected.confusion)


def test_state_survives_float32():
    metric, copy = ClassificationMetric(6), ClassificationMetric(6)
    metric.update(LOGITS, LABELS, WEIGHTS)
    copy.merge([metric.state().astype(np.float32)])
    assert np.array_equal(copy.compute().confusion, metric.compute().confusion)
    assert copy.compute().loss == pytest.approx(metric.compute().loss, rel=1e-6)


def test_result_is_a_snapshot():
    metric = ClassificationMetric(6)
    metric.update(LOGITS, LABELS, WEIGHTS)
    result = metric.compute()
    metric.update(LOGITS, LABELS, WEIGHTS)
    assert result.confusion.sum() == 3
    assert metric.compute().num_images == 6


def test_label_outside_the_classes_is_refused_before_anything_is_counted():
    metric = ClassificationMetric(6)
    with pytest.raises(ValueError, match="label -7 is outside 0..5: set class_num"):
        metric.update(LOGITS, LABELS)
    assert not metric.state().any()


def test_nothing_counted_and_too_few_classes_are_refused():
    with pytest.raises(ValueError, match="evaluation set is not empty"):
        ClassificationMetric(10).compute()
    with pytest.raises(ValueError, match="at least 2"):
        ClassificationMetric(1)
