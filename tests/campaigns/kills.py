"""Campaign of kills: a command killed at a random moment leaves nothing half, and the next one ends as if undisturbed.

python -m tests.campaigns.kills                                   200 kills, half of them of trainings
python -m tests.campaigns.kills --commands train,export --kills 20 --seed 7
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tests.support.commands import TINY, start_command
from tests.support.few_digits import write_few_digits
from tests.support.runs import TinyRun
from tests.support.weights_files import write_torch

KILLS_PER_RUN = 5
SHORTER = 0.8  # factor for the time to kill within, when a command has ended before
TRAININGS = {
    "train": (),
    "train_lamb": ("--opt", "lamb", "--ema_decay", "0", "--eval_interval", "1"),
    "train_accumulated": ("--batch_size", "8", "--accumulate_steps", "2", "--save_checkpoint_steps", "1"),
    "train_mixed": ("--mixup", "0.5", "--loss_name", "soft_target", "--keep_checkpoint_max", "1"),
}
# Files of results whose bytes depend on their input alone.
STABLE = {".csv", ".png", ".json", ".txt", ".ckpt"}
VARIABLE = {"result.json"}  # has the speed


@dataclass(frozen=True)
class Place:
    """What all commands of a campaign work on.

    Attributes:
        digits: an image folder.
        checkpoint: a trained network.
        weights: a PyTorch file of the same network.
        folder: for the outputs of one command.
    """

    digits: Path
    checkpoint: Path
    weights: Path
    folder: Path


# A process that cannot load the kernels takes these, whose results are rounded otherwise.
OPERATORS = ("--cpu_kernels", "0")
Words = Callable[[Place], tuple[str | Path, ...]]
COMMANDS: dict[str, Words] = {
    "create_digits": lambda at: ("scripts/create_digits.py", "--output", at.folder / "out"),
    "create_mindrecord": lambda at: (
        *("scripts/create_mindrecord.py", "--config_path", TINY, "--dataset_path", at.digits),
        *("--output", at.folder / "out"),
    ),
    "export": lambda at: (
        *("export.py", "--pretrained", at.checkpoint, "--file_format", "ONNX,MINDIR", "--overwrite", "1"),
        *("--file_name", at.folder / "net"),
    ),
    "predict": lambda at: (
        *("predict.py", "--pretrained", at.checkpoint, "--input", at.digits / "val", "--output", at.folder / "out"),
        *OPERATORS,
    ),
    "eval": lambda at: ("eval.py", "--pretrained", at.checkpoint, "--output", at.folder / "out", *OPERATORS),
    "convert": lambda at: (
        *("convert.py", "--backbone", "resnext_nano", "--input", at.weights, "--output", at.folder / "net.ckpt"),
        *("--overwrite", "1"),
    ),
}


@dataclass
class Tally:
    """Kills, and what went wrong after one of them."""

    kills: int = 0
    failures: list[str] = field(default_factory=list)


def run_to_end(words: tuple[str | Path, ...]) -> float:
    """Run a command that must succeed; returns its duration in seconds."""
    began = time.monotonic()
    process = start_command(*words)
    out, err = process.communicate()
    assert process.returncode == 0, (words, out[-1000:], err[-1000:])
    return time.monotonic() - began


def kill_after(words: tuple[str | Path, ...], seconds: float) -> bool:
    """Start a command and kill it after so many seconds; returns whether it still ran."""
    process = start_command(*words)
    try:
        out, err = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return True
    assert process.returncode == 0, (words, out[-1000:], err[-1000:])
    return False


# -- trainings


def training_result(run: TinyRun) -> dict:
    """What a training leaves that does not depend on time."""
    kept = ("epoch", "step", "loss", "mean_loss", "lr", "skipped", "top1", "eval_loss")
    records = [{key: record.get(key) for key in kept} for record in run.records]
    return {
        "weights": run.weights(),
        "records": records,
        "checkpoints": sorted(path.name for path in run.checkpoints.iterdir()),
        "runs": [path.name for path in run.parent.iterdir()],
    }


def kill_training(digits: Path, options: tuple[str, ...], num_kills: int, rng: np.random.Generator) -> Tally:
    """Kill trainings until `num_kills` were hit; each is compared with one that was not disturbed."""
    tally = Tally()
    with tempfile.TemporaryDirectory() as folder:
        whole = TinyRun(digits, Path(folder) / "whole")
        duration = run_to_end(("train.py", *whole.options, *options))
        expected = training_result(whole)
        number = 0
        while tally.kills < num_kills:
            number += 1
            run = TinyRun(digits, Path(folder) / f"killed-{number}")
            words = ("train.py", *run.options, *options, "--resume", "auto")
            for _ in range(min(KILLS_PER_RUN, num_kills - tally.kills)):
                if not kill_after(words, rng.uniform(0.2, 1.0) * duration):
                    duration *= SHORTER
                    break
                tally.kills += 1
            run_to_end(words)
            found = training_result(run)
            if found != expected:
                tally.failures.append(f"{run.parent.name}: {_difference(found, expected)}")
    return tally


def _difference(found: dict, expected: dict) -> str:
    return "; ".join(f"{key} {found[key]} instead of {expected[key]}" for key in found if found[key] != expected[key])


# -- other commands


def outputs(folder: Path) -> dict[str, str]:
    """{path: checksum, or "" where the bytes may differ} of everything visible below a folder."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {_name(path, folder): _checksum(path) for path in files if not _hidden(path, folder)}


def _name(path: Path, folder: Path) -> str:
    """Relative path, without time and process in the name of TensorBoard's file."""
    return re.sub(r"(\.tfevents)\..*", r"\1", str(path.relative_to(folder)))


def _hidden(path: Path, folder: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(folder).parts)


def _checksum(path: Path) -> str:
    if path.name.endswith(".mindir.json"):  # names the model's bytes, which are others each time
        return "fits" if _names_its_model(path) else "does not fit"
    stable = path.suffix in STABLE and path.name not in VARIABLE
    return _sha256(path) if stable else ""


def _names_its_model(card: Path) -> bool:
    model = card.with_suffix("")
    return model.exists() and json.loads(card.read_text(encoding="utf-8"))["sha256"] == _sha256(model)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def kill_command(name: str, place: Place, num_kills: int, rng: np.random.Generator) -> Tally:
    """Kill one command again and again, each time followed by one that ends."""
    tally = Tally()
    with tempfile.TemporaryDirectory() as folder:
        at = Place(place.digits, place.checkpoint, place.weights, Path(folder) / "whole")
        duration, expected = run_to_end(COMMANDS[name](at)), outputs(at.folder)
        number = 0
        while tally.kills < num_kills:
            number += 1
            at = Place(place.digits, place.checkpoint, place.weights, Path(folder) / f"killed-{number}")
            words = COMMANDS[name](at)
            for _ in range(min(KILLS_PER_RUN, num_kills - tally.kills)):
                killed = kill_after(words, rng.uniform(0.2, 1.0) * duration)
                if half := half_outputs(at.folder, expected):
                    tally.failures.append(f"{name}: half or other than expected after a kill: {half}")
                tally.kills += killed
                duration *= 1 if killed else SHORTER
                if not killed or _refuses(name, at):
                    break
            if not _refuses(name, at):
                run_to_end(words)
            left = [str(path) for path in at.folder.rglob("*") if ".partial-" in path.name]
            if left or set(expected) - set(outputs(at.folder)):
                tally.failures.append(f"{name}: left {left}, missing {set(expected) - set(outputs(at.folder))}")
    return tally


def _refuses(name: str, at: Place) -> bool:
    """Whether the command has left a complete folder, which it does not replace."""
    return name == "create_mindrecord" and (at.folder / "out").exists()


def half_outputs(folder: Path, expected: dict[str, str]) -> list[str]:
    """Files below a folder that the undisturbed command would not have left so."""
    return [path for path, checksum in outputs(folder).items() if not _whole(path, checksum, expected)]


def _whole(path: str, checksum: str, expected: dict[str, str]) -> bool:
    """Whether a file is one of the undisturbed command's, in a folder that may have a number."""
    plain = "/".join(["out" if part.startswith("out-") else part for part in path.split("/")])
    return expected.get(plain) == checksum


# -- the campaign


def prepare(folder: Path) -> Place:
    """Data, a trained network and a weights file for the commands."""
    digits = write_few_digits(folder / "digits")
    run = TinyRun(digits, folder / "outputs")
    run_to_end(("train.py", *run.options, "--ema_decay", "0"))
    weights = run.load().weights(use_ema=False)
    return Place(digits, run.best, write_torch(folder / "net.pth", weights), folder)


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.campaigns.kills")
    parser.add_argument("--commands", default=",".join([*TRAININGS, *COMMANDS]), help="comma-separated (default: all)")
    parser.add_argument("--kills", type=int, default=200, help="over all commands (default: 200)")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="default: the time")
    options = parser.parse_args(argv)
    names, tallies = options.commands.split(","), {}
    print(f"seed {options.seed}")
    with tempfile.TemporaryDirectory() as folder:
        place = prepare(Path(folder))
        for name in names:
            rng, kills = np.random.default_rng([options.seed, sum(name.encode())]), -(-options.kills // len(names))
            if name in TRAININGS:
                tallies[name] = kill_training(place.digits, TRAININGS[name], kills, rng)
            else:
                tallies[name] = kill_command(name, place, kills, rng)
            print(f"{name:<20} kills {tallies[name].kills:>4}  failed {len(tallies[name].failures):>3}", flush=True)
            for failure in tallies[name].failures:
                print(f"  {failure}", flush=True)
    print(json.dumps({name: [tally.kills, len(tally.failures)] for name, tally in tallies.items()}))
    return 1 if any(tally.failures for tally in tallies.values()) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
