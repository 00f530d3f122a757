"""Cells are tested compiled, as a run uses them, unless a test asks for the other mode."""

import mindspore as ms
import pytest


@pytest.fixture(autouse=True)
def graph_mode():
    before = ms.get_context("mode")
    ms.set_context(mode=ms.GRAPH_MODE)
    yield
    ms.set_context(mode=before)
