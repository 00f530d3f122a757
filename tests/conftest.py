"""Settings that every test shares.

The processor's convolution kernels are chosen before MindSpore loads. Graphs that the tests' processes compile are kept
for each other during the run, and away from the user's own.
"""

import logging
import os
import shutil
import signal
import tempfile

import pytest

from src.runtime.device import prepare_process
from src.runtime.logs import LOGGER_NAME

prepare_process()

import mindspore  # noqa: E402, F401 (it sets variables of the environment, which no test is to be blamed for)


def pytest_configure(config):
    if not hasattr(config, "workerinput"):  # xdist's workers inherit it
        config.cache_home = os.environ["XDG_CACHE_HOME"] = tempfile.mkdtemp(prefix="zoo-tests-")


def pytest_unconfigure(config):
    if hasattr(config, "cache_home"):
        shutil.rmtree(config.cache_home, ignore_errors=True)


@pytest.fixture(autouse=True)
def process_left_as_it_was():
    """Fails a test that changes its process for the tests after it, whose order is any."""
    before = _process_state()
    yield
    after = _process_state()
    assert after == before, "the test leaves its process changed"


def _process_state():
    logger = logging.getLogger(LOGGER_NAME)
    files = [handler for handler in logger.handlers if isinstance(handler, logging.FileHandler)]
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD)
    return {
        "environment": {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"},
        "folder": os.getcwd(),
        "log": (files, logger.propagate),
        "signals": [signal.getsignal(number) for number in signals],
    }
