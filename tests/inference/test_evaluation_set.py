"""Which images the ranks evaluate."""

from types import SimpleNamespace

import mindspore as ms
import numpy as np
import pytest
from mindspore import nn

from src.config import read_config
from src.inference import evaluator
from src.inference.evaluator import EvaluationSet
from src.runtime.session import Session
from src.tasks.classification.task import ClassificationTask
from tests.support.commands import TINY
from tests.support.few_digits import write_few_digits


@pytest.fixture(scope="module")
def task(tmp_path_factory):
    folder = write_few_digits(tmp_path_factory.mktemp("digits"))
    return ClassificationTask(read_config(["--config_path", str(TINY), "--dataset_path", str(folder)]).config)


@pytest.mark.parametrize("num_ranks", [1, 2, 3])
def test_every_image_counts_once_over_all_ranks(task, num_ranks):
    """20 images in batches of 8 leave 4 places (1 rank), 6 a rank (2), 1 or 2 a rank (3) to fill up."""
    counted, labels = [], []
    for rank in range(num_ranks):
        share = task.evaluation_set(Session("CPU", rank, num_ranks, ""))
        assert share.num_samples == 20
        for (image, label), weights in zip(share.batches(), share.weights, strict=True):
            assert image.shape == (8, 3, 32, 32)
            counted += [pixels.tobytes() for pixels in image.asnumpy()[weights > 0]]
            labels += label.asnumpy()[weights > 0].tolist()
    assert len(counted) == len(set(counted)) == 20
    assert np.bincount(labels).tolist() == [3, 2, 2, 1, 2, 2, 4, 1, 1, 2]


@pytest.mark.parametrize("filled, ends, speed, per_step", [([8, 8, 4], [60, 70, 80], 0.6, 10), ([3], [60], 0.05, 60)])
def test_the_speed_counts_real_images_and_no_compiling_step(task, monkeypatch, filled, ends, speed, per_step):
    clock = iter([0.0, *np.repeat(ends, 2), 99.0])  # begin; end of a batch, begin of the next; end
    monkeypatch.setattr(evaluator, "time", SimpleNamespace(perf_counter=lambda: next(clock)))
    weights = [np.arange(8) < number for number in filled]
    batches = [(ms.Tensor(np.zeros((8, 10), np.float32)), np.zeros(8, np.int32)) for _ in filled]
    data = EvaluationSet(lambda: iter(batches), weights, sum(filled))
    run = evaluator.Evaluator(nn.Identity(), data, task.outputs, task.metric, Session("CPU", 0, 1, ""), "O0").run()
    assert run.images_per_second == pytest.approx(speed)
    assert (run.seconds_per_step, run.seconds) == (per_step, 99.0)
