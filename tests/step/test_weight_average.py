"""The averaged weights."""

import numpy as np
import pytest
from mindspore import Parameter, Tensor

from src.step.ema import WeightAverage


@pytest.mark.parametrize(
    ("num_updates", "moved"),
    [
        (1, 1 - 2 / 11),  # min(0.9, (1 + t) / (10 + t))
        (8, 1 - 9 / 18),
        (79, 1 - 80 / 89),
        (80, 0.1),  # 81 / 90 = 0.9
        (1000, 0.1),
    ],
)
def test_the_decay_warms_up(num_updates, moved):
    weight = Parameter(Tensor([0.0, 0.0]), name="w")
    average = WeightAverage([weight], decay=0.9)
    weight.set_data(Tensor([1.0, -2.0]))
    average(Tensor(num_updates))
    np.testing.assert_allclose(average.averages[0].asnumpy(), [moved, -2 * moved], rtol=1e-6)
    assert weight.asnumpy().tolist() == [1.0, -2.0]


def test_averages_begin_with_the_weights_and_restart_from_them():
    weight = Parameter(Tensor([3.0]), name="w")
    average = WeightAverage([weight], decay=0.9)
    assert (average.averages[0].name, average.averages[0].asnumpy().tolist()) == ("ema.w", [3.0])
    weight.set_data(Tensor([5.0]))
    average.restart()
    assert average.averages[0].asnumpy().tolist() == [5.0]
