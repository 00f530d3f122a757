"""Settings that every test shares.

The processor's convolution kernels are chosen before MindSpore loads. Graphs that the tests' processes compile are kept
for each other during the run, and away from the user's own.
"""

import os
import shutil
import tempfile

from src.runtime.device import prepare_process

prepare_process()


def pytest_configure(config):
    if not hasattr(config, "workerinput"):  # xdist's workers inherit it
        config.cache_home = os.environ["XDG_CACHE_HOME"] = tempfile.mkdtemp(prefix="zoo-tests-")


def pytest_unconfigure(config):
    if hasattr(config, "cache_home"):
        shutil.rmtree(config.cache_home, ignore_errors=True)
