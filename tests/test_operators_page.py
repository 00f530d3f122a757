"""docs/operators.md: current, and with no operator that is documented, but not for Ascend and GPU."""

import subprocess
import sys

import pytest

from benchmarks.operators import NANOS, PAGE, documented_devices, table_rows
from tests.support.processes import PROJECT_ROOT

ROWS = table_rows(PAGE.read_text(encoding="utf-8"))
NETWORKS = [column for column in next(iter(ROWS.values())) if column not in ("operator", "devices")]
QUICK = {"resnext_nano", "dgcnet_nano"}


def test_every_family_has_a_column():
    assert set(NANOS) <= set(NETWORKS)


@pytest.mark.parametrize(
    "name", [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in NETWORKS]
)
def test_the_graphs_of_a_network_are_those_of_the_page(name):
    command = [sys.executable, "benchmarks/operators.py", "--check", name]
    finished = subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, text=True, check=False)
    assert finished.stdout == f"operators.md is current for {name}\n", finished.stdout + finished.stderr


def test_no_documented_operator_is_missing_on_ascend_or_gpu_unexplained():
    assert len(ROWS) > 50
    missing = {name for name, row in ROWS.items() if row["devices"] not in ("Ascend GPU CPU", "Ascend GPU", "-")}
    assert missing == set()
    assert "not explained" not in PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("operator", "devices"),
    [
        ("Conv2D", ["Ascend", "GPU", "CPU"]),  # in its own documentation
        ("SumExt", ["Ascend", "GPU", "CPU"]),  # in that of Tensor.sum
        ("BatchNormExt", ["Ascend"]),
        ("ReduceStd", ["Ascend", "CPU"]),
        ("ReluGrad", []),
    ],
)
def test_devices_are_found_in_the_frameworks_documentation(operator, devices):
    assert documented_devices(operator) == devices
