"""ViG against numbers recorded from the authors' and the zoo's implementations."""

import pytest

from tests.golden.processes import holds


@pytest.mark.parametrize(
    "fixture", [pytest.param("vig_ti", marks=pytest.mark.slow), "vig_s", "vig_s_patch16_224_zoo_ms"]
)
def test_evaluation(fixture):
    assert holds(fixture, "eval")


def test_training_of_the_smallest():
    assert holds("vig_ti", "train")


@pytest.mark.slow
@pytest.mark.parametrize("fixture", ["vig_s", "vig_s_patch16_224_zoo_ms"])
def test_training(fixture):
    assert holds(fixture, "train")
