"""ResNeXt against numbers recorded from PyTorch's implementation."""

import pytest

from tests.golden.processes import holds


@pytest.mark.parametrize("fixture", ["resnext50_32x4d", "resnext50_32x4d_samepool", "resnext152_64x4d"])
def test_evaluation(fixture):
    assert holds(fixture, "eval")


@pytest.mark.parametrize("fixture", ["resnext50_32x4d", "resnext50_32x4d_samepool"])
def test_training(fixture):
    assert holds(fixture, "train")


@pytest.mark.slow
def test_training_of_the_largest():
    assert holds("resnext152_64x4d", "train")
