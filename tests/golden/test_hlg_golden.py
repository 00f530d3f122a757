"""HLG against numbers recorded from the zoo's implementation."""

from tests.golden.processes import holds


def test_evaluation():
    assert holds("hlg_mobile_zoo_ms", "eval")


def test_training():
    assert holds("hlg_mobile_zoo_ms", "train")
