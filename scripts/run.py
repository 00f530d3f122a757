"""Start of the run_*.sh scripts: training or evaluation on one device, or training on many.

    python scripts/run.py SCRIPT [ARGUMENTS] [--key value ...]

DEVICE_TARGET (CPU for a trial), NUM_DEVICES (of a start without a rank table), LOG_FOLDER, MASTER_PORT, BACKGROUND=1
(return at once, as the seeds' scripts did), USE_MSRUN=1, MAX_RESTARTS and, for DGCNet's scripts, CONFIG_PATH (another
recipe) are read from the environment.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from src.config import UserError
from src.runtime.entry import run_command
from src.runtime.seed_scripts import (
    ScriptArguments,
    chosen_recipe,
    device_target,
    launcher_options,
    parse_ordered_arguments,
    parse_script_arguments,
)

ROOT = Path(__file__).resolve().parents[1]
DEFAULT_DEVICES = 8  # of a server, in all of the seeds


@dataclass(frozen=True)
class Script:
    """A script of the seeds.

    Attributes:
        program: what it starts.
        device: where, unless DEVICE_TARGET or an argument says otherwise.
        forms: its arguments, told apart by what they are.
        ordered: names of its arguments, where their order tells them apart, and the program's options that they become.
        options: further options of the program.
        many: on many devices.
        num_devices: their number; None: the rank table or the environment tells.
        log: file in the caller's folder that keeps what is shown.
    """

    program: str
    device: str
    forms: tuple[str, ...] = ()
    ordered: dict[str, str] = field(default_factory=dict)
    options: tuple[str, ...] = ()
    many: bool = False
    num_devices: int | None = None
    log: str = ""

    def parse(self, words: list[str]) -> ScriptArguments:
        """Its arguments and the user's options behind them."""
        if self.ordered:
            return parse_ordered_arguments(words, self.ordered)
        return parse_script_arguments(words, self.forms, "eval_path" if self.program == "eval.py" else "dataset_path")


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
# DGCNet's: program, number of devices, log
DGCNET = {
    "run_standalone_gpu_train": ("train.py", 1, "train_1p.log"),
    "run_distributed_gpu_train2p": ("train.py", 2, "train_2p.log"),
    "run_distributed_gpu_train8p": ("train.py", 8, "train_8p.log"),
    "run_standalone_gpu_eval": ("eval.py", 1, "eval.log"),
}


def _dgcnet(program: str, num_devices: int, log: str) -> Script:
    recipe = chosen_recipe(str(ROOT / "config" / "dgcnet" / "dgcnet_res101_cityscapes.yml"))
    options = (f"--config_path={recipe}",)
    if program == "eval.py":
        options += ("--output_dir=./eval_dual_seg_r101_832",)
    ordered = {"/path/dataset": "data_dir", "/path/datalist": "data_list", "/path/ckpt": "restore_from"}
    many = num_devices > 1
    return Script(
        program, "GPU", ordered=ordered, options=options, many=many, num_devices=num_devices if many else None, log=log
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
    **{name: _dgcnet(*parts) for name, parts in DGCNET.items()},
}


def main(argv: list[str]) -> int:
    """Become what a script starts."""
    if not argv or argv[0] not in SCRIPTS:
        raise UserError(f"give the name of a script: {', '.join(SCRIPTS)}")
    script = SCRIPTS[argv[0]]
    arguments = script.parse(argv[1:])
    command = _many(script, arguments) if script.many else _alone(script, arguments)
    if script.log:
        _keep_output(script.log)
    print(" ".join(command[1:]), flush=True)
    return os.execv(command[0], command)  # signals to the script reach the program


def _alone(script: Script, arguments: ScriptArguments) -> list[str]:
    return [sys.executable, str(ROOT / script.program), *_options(script, arguments)]


def _many(script: Script, arguments: ScriptArguments) -> list[str]:
    where = launcher_options(DEFAULT_DEVICES, script.num_devices, arguments.rank_table)
    launcher = [sys.executable, str(ROOT / "scripts" / "launch.py"), *where]
    launcher += ["--device_target", device_target(script.device)]
    return [*launcher, script.program, "--run_distribute=1", *_options(script, arguments)]


def _options(script: Script, arguments: ScriptArguments) -> list[str]:
    """The program's options, those of the user last: they win."""
    device = [] if arguments.names_device else [f"--device_target={device_target(script.device)}"]
    return [*device, *script.options, *arguments.options]


def _keep_output(log: str) -> None:
    """From here on what is printed goes to a file as well; `-i`: Ctrl-C ends the program, whose last lines follow."""
    tee = subprocess.Popen(["tee", "-i", "--", log], stdin=subprocess.PIPE)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(tee.stdin.fileno(), stream.fileno())


if __name__ == "__main__":
    sys.exit(run_command(main))
