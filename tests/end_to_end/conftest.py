"""One uninterrupted training that many tests look at."""

import subprocess
import sys

import pytest

from tests.support.commands import run_process
from tests.support.few_digits import write_few_digits
from tests.support.processes import PROJECT_ROOT
from tests.support.runs import TinyRun
from tests.support.two_servers import TwoServers, why_not


@pytest.fixture(scope="session", autouse=True)
def kernels_compiled():
    """No command says that it compiles the kernels, in whatever order the tests run."""
    subprocess.run([sys.executable, "scripts/compile_kernels.py"], cwd=PROJECT_ROOT, check=True, capture_output=True)


@pytest.fixture(scope="session")
def digits(tmp_path_factory):
    """64 digits to train on, 20 to validate on."""
    return write_few_digits(tmp_path_factory.mktemp("data") / "digits")


@pytest.fixture(scope="session")
def reference(digits, tmp_path_factory):
    """A finished run: look, don't touch."""
    run = TinyRun(digits, tmp_path_factory.mktemp("reference") / "outputs")
    finished = run_process("train.py", *run.options)
    assert (finished.code, finished.err) == (0, "")
    return run


@pytest.fixture
def tiny(digits, tmp_path):
    """A run that has not begun."""
    return TinyRun(digits, tmp_path / "outputs")


@pytest.fixture(scope="module")
def servers():
    """Two servers, joined by a cable."""
    if reason := why_not():
        pytest.skip(reason)
    with TwoServers() as servers:
        yield servers
