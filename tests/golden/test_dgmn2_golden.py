"""DGMN2 against numbers recorded from the authors' implementation."""

import pytest

from tests.golden.processes import holds


@pytest.mark.parametrize("fixture", ["dgmn2_tiny", "dgmn2_small"])
def test_evaluation(fixture):
    assert holds(fixture, "eval")


def test_training_of_the_smallest():
    assert holds("dgmn2_tiny", "train")


@pytest.mark.slow
def test_training():
    assert holds("dgmn2_small", "train")
