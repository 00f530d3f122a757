"""The shell scripts: clean under shellcheck, executable, and each with its usage in its head."""

import os
import subprocess
import sys
from pathlib import Path

from tests.support.processes import PROJECT_ROOT

SCRIPTS = sorted((PROJECT_ROOT / "scripts").glob("*.sh"))


def test_shellcheck_finds_nothing():
    shellcheck = Path(sys.executable).with_name("shellcheck")
    names = [script.name for script in SCRIPTS]
    finished = subprocess.run(
        [shellcheck, "--external-sources", *names], cwd=PROJECT_ROOT / "scripts", capture_output=True, text=True
    )
    assert (finished.returncode, finished.stdout) == (0, "")


def test_each_script_tells_its_usage():
    seeds = [script for script in SCRIPTS if script.name.startswith("run_")]
    assert len(seeds) >= 14
    assert [script.name for script in seeds if f"usage: bash scripts/{script.name} " not in script.read_text()] == []
    assert [script.name for script in seeds if not os.access(script, os.X_OK)] == []
