"""DGMN2 against numbers recorded from the authors' implementation."""

import pytest

from tests.golden.processes import holds


@pytest.mark.parametrize("phase", ["eval", "train"])
def test_the_smallest(phase):
    assert holds("dgmn2_tiny", phase)


@pytest.mark.slow
@pytest.mark.parametrize("phase", ["eval", "train"])
def test_the_next(phase):
    assert holds("dgmn2_small", phase)
