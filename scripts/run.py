"""Start of the run_*.sh scripts: training or evaluation on one device, or training on many.

    python scripts/run.py SCRIPT [ARGUMENTS] [--key value ...]

DEVICE_TARGET (CPU for a trial), NUM_DEVICES (of a start without a rank table), LOG_FOLDER, BACKGROUND=1 (return at
once, as the seeds' scripts did), USE_MSRUN=1 and MAX_RESTARTS are read from the environment.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from src.config import UserError
from src.runtime.entry import run_command
from src.runtime.seed_scripts import ScriptArguments, device_target, launcher_options, parse_script_arguments

ROOT = Path(__file__).resolve().parents[1]
DEFAULT_DEVICES = 8  # of a server, in all of the seeds


@dataclass(frozen=True)
class Script:
    """A script of the seeds.

    Attributes:
        program: what it starts.
        device: where, unless DEVICE_TARGET or an argument says otherwise.
        forms: its arguments.
        many: on many devices.
    """

    program: str
    device: str
    forms: tuple[str, ...]
    many: bool = False

    @property
    def data_option(self) -> str:
        """What a folder of data is to the program."""
        return "eval_path" if self.program == "eval.py" else "dataset_path"


ALONE = ("CONFIG_PATH", "DEVICE_ID CONFIG_PATH", "DEVICE_ID DATA_PATH", "DEVICE_ID CONFIG_PATH DATA_PATH", "DATA_PATH")
TABLE = ("RANK_TABLE_FILE CONFIG_PATH", "RANK_TABLE_FILE DATA_PATH", "RANK_TABLE_FILE CONFIG_PATH DATA_PATH")
VISIBLE = ("CONFIG_PATH", "DATA_PATH", "CONFIG_PATH DATA_PATH")
EVALUATION = (
    "CONFIG_PATH",
    "CONFIG_PATH CHECKPOINT_PATH",
    "DEVICE_ID CONFIG_PATH CHECKPOINT_PATH",
    "DEVICE_ID CHECKPOINT_PATH PLATFORM",
    "DEVICE_ID DATA_PATH CHECKPOINT_PATH",
    "DEVICE_ID DATA_PATH CHECKPOINT_PATH PLATFORM",
)
SCRIPTS = {
    "run_standalone_train": Script("train.py", "Ascend", ALONE),
    "run_standalone_train_ascend": Script("train.py", "Ascend", ALONE),
    "run_standalone_train_gpu": Script("train.py", "GPU", ALONE),
    "run_distribute_train": Script("train.py", "Ascend", TABLE, many=True),
    "run_distribute_train_ascend": Script("train.py", "Ascend", TABLE, many=True),
    "run_distribute_train_gpu": Script("train.py", "GPU", VISIBLE, many=True),
    "run_eval": Script("eval.py", "Ascend", EVALUATION),
    "run_eval_ascend": Script("eval.py", "Ascend", EVALUATION),
    "run_eval_gpu": Script("eval.py", "GPU", EVALUATION),
}


def main(argv: list[str]) -> int:
    """Start what a script starts; returns its exit code."""
    if not argv or argv[0] not in SCRIPTS:
        raise UserError(f"give the name of a script: {', '.join(SCRIPTS)}")
    script = SCRIPTS[argv[0]]
    arguments = parse_script_arguments(argv[1:], script.forms)
    command = _many(script, arguments) if script.many else _alone(script, arguments)
    print(" ".join(command[1:]), flush=True)
    return subprocess.run(command, check=False).returncode


def _alone(script: Script, arguments: ScriptArguments) -> list[str]:
    return [
        sys.executable,
        str(ROOT / script.program),
        *_device(script, arguments),
        *arguments.program_options(script.data_option),
    ]


def _many(script: Script, arguments: ScriptArguments) -> list[str]:
    where = launcher_options(DEFAULT_DEVICES, arguments.found.get("RANK_TABLE_FILE"))
    program = [script.program, *_device(script, arguments), "--run_distribute=1"]
    launcher = [sys.executable, str(ROOT / "scripts" / "launch.py"), *where]
    launcher += ["--device_target", device_target(script.device)]
    return [*launcher, *program, *arguments.program_options(script.data_option)]


def _device(script: Script, arguments: ScriptArguments) -> list[str]:
    return [] if "PLATFORM" in arguments.found else [f"--device_target={device_target(script.device)}"]


if __name__ == "__main__":
    sys.exit(run_command(main))
