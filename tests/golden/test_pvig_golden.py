"""Pyramid ViG against numbers recorded from the authors' implementation."""

import pytest

from tests.golden.processes import holds


@pytest.mark.parametrize("fixture", ["pvig_ti", pytest.param("pvig_s", marks=pytest.mark.slow)])
def test_evaluation(fixture):
    assert holds(fixture, "eval")


def test_training_of_the_smallest():
    assert holds("pvig_ti", "train")


@pytest.mark.slow
def test_training():
    assert holds("pvig_s", "train")
