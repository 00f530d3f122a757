"""Mean IoU: by hand, against the data set's own scorer, over batches and ranks."""

import numpy as np
import pytest

from src.datasets.sources.cityscapes_classes import CITYSCAPES
from src.metrics import SegmentationMetric, iou_table, seed_result, write_iou_csv
from tests.support.official_scorer import official_scores
from tests.support.scored_scenes import NUM_SCENES, scored_scene

TRUTH = np.array([[[0, 0, 0, 1], [1, 1, 255, 255]]])
PREDICTION = np.array([[[0, 0, 1, 1], [1, 3, 0, 2]]])


def _result(num_classes=5):
    metric = SegmentationMetric(num_classes)
    metric.update(PREDICTION, TRUTH)
    return metric.compute()


def test_classes_in_neither_truth_nor_prediction_are_left_out_of_the_mean():
    result = _result()
    np.testing.assert_array_equal(result.iou, [2 / 3, 2 / 4, np.nan, 0.0, np.nan])
    assert result.mean_iou == pytest.approx((2 / 3 + 1 / 2 + 0) / 3)
    assert (result.num_pixels, result.pixel_accuracy) == (6, 4 / 6)
    assert result.confusion.tolist() == [[2, 1, 0, 0, 0], [0, 2, 0, 1, 0], [0] * 5, [0] * 5, [0] * 5]


@pytest.fixture(scope="module")
def scored():
    metric = SegmentationMetric(19)
    for key in range(NUM_SCENES):
        label_ids, prediction = scored_scene(key)
        metric.update(prediction[None], CITYSCAPES.to_classes(label_ids)[None])
    return metric


def test_the_scores_are_those_of_the_data_sets_own_scorer(scored, tmp_path):
    official, result = official_scores(tmp_path), scored.compute()
    expected = [official["classScores"][name] for name in CITYSCAPES.names]
    np.testing.assert_allclose(result.iou, expected, rtol=0, atol=1e-12)
    assert np.flatnonzero(np.isnan(result.iou)).tolist() == [16]  # train occurs nowhere; truck is only predicted
    assert result.mean_iou == pytest.approx(official["averageScoreClasses"], abs=1e-12)


def test_ranks_sum_what_they_counted(scored):
    states = []
    for key in range(NUM_SCENES):
        metric = SegmentationMetric(19)
        label_ids, prediction = scored_scene(key)
        metric.update(prediction[None], CITYSCAPES.to_classes(label_ids)[None])
        states.append(metric.state())
    total = SegmentationMetric(19)
    total.merge(states)
    assert (total.compute().confusion == scored.compute().confusion).all()


def test_images_that_fill_up_a_batch_are_not_counted():
    metric = SegmentationMetric(5)
    metric.update(np.repeat(PREDICTION, 3, 0), np.repeat(TRUTH, 3, 0), weights=np.array([0.0, 1.0, 0.0]))
    assert (metric.compute().confusion == _result().confusion).all()


def test_wrong_labels_and_nothing_counted_are_refused():
    metric = SegmentationMetric(5)
    with pytest.raises(ValueError, match="label 7 is outside 0..4"):
        metric.update(np.array([[[0]]]), np.array([[[7]]]))
    with pytest.raises(ValueError, match="no labelled pixel was counted"):
        metric.compute()


def test_the_result_file_has_the_seeds_form():
    assert (
        seed_result(_result(2 + 2))
        == '{"meanIU": 0.38888888888888884, "IU_array": [0.6666666666666666, 0.5, null, 0.0]}'
    )


def test_the_table_names_the_classes():
    assert iou_table(_result(4), ("road", "sidewalk", "sky", "car")) == (
        "road       66.67\nsidewalk   50.00\nsky            -\ncar         0.00\nmean       38.89"
    )


def test_the_csv_file_has_a_row_a_class(tmp_path):
    write_iou_csv(tmp_path / "iou.csv", _result(4), ("road", "sidewalk", "sky", "car"))
    assert (tmp_path / "iou.csv").read_text().splitlines() == [
        "class,iou,pixels,predicted_pixels,correct_pixels",
        "road,0.666667,3,2,2",
        "sidewalk,0.500000,3,3,2",
        "sky,,0,0,0",
        "car,0.000000,0,1,0",
    ]
